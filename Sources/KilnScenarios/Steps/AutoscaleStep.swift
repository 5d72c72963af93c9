import KilnDocuments
import KilnEngine
import KilnModel

/// `autoscale`: lets an autopilot look after the run's lab until a server has as many members as its load should lead to.
struct AutoscaleStep: StepAction {
    static let kind = StepKind(
        word: "autoscale",
        outputs: ["after-ms"],
        about: "Runs the autopilot until a server that declares 'autoscale' has so many members, and all serve.",
        fields: { Schema.object(AutoscaleStepFields.self, $0) },
        decode: { AutoscaleStep($0, $1) }
    )

    let server: Name
    let members: Int
    let limit: Duration

    init?(_ value: Value, _ reader: StepReader) {
        guard let fields = Fields<AutoscaleStepFields>(value, "a map with 'server', 'members' and 'within'") else {
            return nil
        }
        let server = reader.server(fields[.server])
        let members = fields[.members]?.whole(in: 1...MemberID.most)
        guard let limit = fields[.within]?.duration(), let server, let members else { return nil }
        if let spec = reader.lab.server(server)?.spec {
            AutoscaleStep.judge(members, of: server, spec.autoscale, fields)
        }
        self.server = server
        self.members = members
        self.limit = limit
    }

    private static func judge(
        _ members: Int,
        of server: Name,
        _ spec: AutoscaleSpec?,
        _ fields: Fields<AutoscaleStepFields>
    ) {
        guard let spec else {
            let problem = "declares no 'autoscale', so an autopilot leaves its number of members alone; add that"
            fields[.server]?.problem("the server '\(server)' \(problem)")
            return
        }
        guard spec.allowed(members) != members else { return }
        fields[.members]?.problem(
            "the server '\(server)' may have \(spec.min) to \(spec.max) members by its 'autoscale'"
        )
    }

    var summary: String { "autoscale \(server) to \(members) within \(limit.words)" }

    var renewed: [Name] { [server] }

    func foresee(_ forecast: inout LabForecast) { forecast.replace(server) }

    func perform(_ context: RunContext, as id: StepID) async throws -> StepYield {
        let flight = try await context.autopilot(
            until: .members(context.id(server).whole, members),
            within: limit,
            summary,
            wanted: "has not \(members) members that serve"
        )
        return StepYield(message: "\(members) serve \(flight.message)", outputs: ["after-ms": flight.milliseconds])
    }
}

/// The fields of an `autoscale` step.
enum AutoscaleStepFields: String, FileField {
    case server, members, within

    static let required: [AutoscaleStepFields] = [.server, .members, .within]

    var schema: JSONValue {
        switch self {
        case .server: Schema.name("The server whose load decides.")
        case .members: Schema.whole(1...MemberID.most, "How many members it has to come to.")
        case .within: Schema.duration("How long that may take.")
        }
    }
}
