import KilnDocuments
import KilnEngine
import KilnModel

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
        let server = context.id(server).whole
        let flight = try await context.autopilot(until: .ready(server), within: limit, summary, wanted: "is not ready")
        return StepYield(
            message: "ready \(flight.message)",
            outputs: ["heals": "\(flight.report.done)", "ready-after-ms": flight.milliseconds]
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
