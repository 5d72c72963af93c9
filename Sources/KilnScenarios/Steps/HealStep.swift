import KilnDocuments
import KilnEngine
import KilnModel

/// `heal`: lets an autopilot look after the run's lab until a server is ready again, or renewed.
struct HealStep: StepAction {
    static let kind = StepKind(
        word: "heal",
        outputs: ["heals", "ready-after-ms"],
        about: "Runs the autopilot until a server that declares 'heal' is ready again, or renewed.",
        fields: { Schema.object(HealStepFields.self, $0) },
        decode: { HealStep($0, $1) }
    )

    /// With what it ends.
    enum End: String, CaseIterable {
        case ready, renewed
    }

    let server: Name
    let limit: Duration
    let end: End

    init?(_ value: Value, _ reader: StepReader) {
        guard let fields = Fields<HealStepFields>(value, "a map with 'server' and 'within'") else { return nil }
        let server = reader.server(fields[.server])
        let end = fields[.until].map { $0.word(End.self) } ?? .ready
        guard let limit = fields[.within]?.duration(), let server, let end else { return nil }
        if let spec = reader.lab.server(server)?.spec {
            let lacks = spec.heal == nil ? "heal" : end == .renewed && spec.maxAge == nil ? "max-age" : nil
            if let lacks {
                fields[.server]?.problem(
                    "the server '\(server)' declares no '\(lacks)', so an autopilot leaves it alone; add that"
                )
            }
        }
        self.server = server
        self.limit = limit
        self.end = end
    }

    var summary: String { "heal \(server) within \(limit.words)" + (end == .ready ? "" : " until it is renewed") }

    var renewed: [Name] { [server] }

    func foresee(_ forecast: inout LabForecast) { forecast.replace(server) }

    func perform(_ context: RunContext, as id: StepID) async throws -> StepYield {
        let goal = try await goal(context.id(server).whole, context.engine)
        let flight = try await context.autopilot(until: goal, within: limit, summary, wanted: "is not \(end.rawValue)")
        return StepYield(
            message: "\(end.rawValue) \(flight.message)",
            outputs: ["heals": "\(flight.report.done)", "ready-after-ms": flight.milliseconds]
        )
    }

    private func goal(_ server: ServerID, _ engine: LabEngine) async throws -> AutopilotGoal {
        guard end == .renewed else { return .ready(server) }
        let serving = try await engine.statuses(server.lab).filter { $0.id.whole == server }
        let before = serving.compactMap { member in member.generation.map { (member.id, $0) } }
        return .renewed(server, since: Dictionary(before) { first, _ in first })
    }
}

/// The fields of a `heal` step.
enum HealStepFields: String, FileField {
    case server, within, until

    static let required: [HealStepFields] = [.server, .within]

    var schema: JSONValue {
        switch self {
        case .server: Schema.name("The server that has to become ready, with all its members.")
        case .until:
            Schema.words(
                HealStep.End.self,
                "With what it ends; without it ready. 'renewed': each member was replaced since, by its 'max-age'."
            )
        case .within: Schema.duration("How long that may take.")
        }
    }
}
