import KilnDocuments
import KilnEngine
import KilnModel
import Synchronization

/// `heal`: lets an autopilot look after the run's lab until a server is ready again.
struct HealStep: StepAction {
    static let kind = StepKind(
        word: "heal",
        outputs: ["heals", "ready-after-ms"],
        about: "Runs the autopilot until a server that declares 'heal' is ready again.",
        fields: { Schema.object(HealStepFields.self, $0) },
        decode: { HealStep($0, $1) }
    )

    let server: Name
    let limit: Duration

    init?(_ value: Value, _ reader: StepReader) {
        guard let fields = Fields<HealStepFields>(value, "a map with 'server' and 'within'") else { return nil }
        let server = reader.server(fields[.server])
        guard let limit = fields[.within]?.duration(), let server else { return nil }
        if let spec = reader.lab.server(server)?.spec, spec.heal == nil {
            fields[.server]?.problem(
                "the server '\(server)' declares no 'heal', so an autopilot leaves it alone; add that"
            )
        }
        self.server = server
        self.limit = limit
    }

    var summary: String { "heal \(server) within \(limit.words)" }

    var renewed: [Name] { [server] }

    func foresee(_ forecast: inout LabForecast) { forecast.replace(server) }

    func perform(_ context: RunContext, as id: StepID) async throws -> StepYield {
        let lines = Mutex<[AutopilotLine]>([])
        let begin = ContinuousClock.now
        let options = AutopilotOptions(until: context.id(server).whole)
        let report: AutopilotReport
        do {
            report = try await context.within(step: limit, summary) {
                try await context.engine.autopilot(context.lab.name, options) { line in
                    lines.withLock { $0.append(line) }
                    context.events.record(.note("\(line.member.title): \(line.text)"))
                }
            }
        } catch let unmet as Unmet {
            // The last word on it says more than that the time is up.
            let last = lines.withLock { $0.last { $0.member.server == server } }
            throw Unmet("\(unmet)\(last.map { "; \($0.text)" } ?? "")", exit: unmet.exit)
        }
        await context.remember(try await context.engine.statuses(context.lab.name))
        if report.stuck.contains(where: { $0.server == server }) {
            throw Unmet(
                "\(server) is not ready: \(lines.withLock { $0.last { $0.member.server == server } }?.text ?? "it is stuck")"
            )
        }
        let time = ContinuousClock.now - begin
        let acts = lines.withLock { $0 }.filter { AutopilotAct(rawValue: $0.decision) != nil }.map(\.decision)
        let done = acts.isEmpty ? "nothing was to be done" : acts.joined(separator: ", ")
        return StepYield(
            message: "ready after \(time.words): \(done)",
            outputs: ["heals": "\(report.done)", "ready-after-ms": "\(Int(time / .milliseconds(1)))"]
        )
    }
}

/// The fields of a `heal` step.
enum HealStepFields: String, FileField {
    case server, within

    static let required: [HealStepFields] = [.server, .within]

    var schema: JSONValue {
        switch self {
        case .server: Schema.name("The server that has to become ready, with all its members.")
        case .within: Schema.duration("How long that may take.")
        }
    }
}
