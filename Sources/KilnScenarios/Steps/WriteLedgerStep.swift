import KilnDocuments
import KilnEngine
import KilnModel

/// `write-ledger`: starts the ledger's writer in the background.
struct WriteLedgerStep: StepAction {
    static let kind = StepKind(
        word: "write-ledger",
        about: "Starts writing numbered records.",
        fields: { Schema.object(WriteLedgerFields.self, $0) },
        decode: { WriteLedgerStep($0, $1) }
    )

    let plan: LedgerPlan

    var secrets: [String] { plan.secrets }

    init?(_ value: Value, _ reader: StepReader) {
        guard
            let fields = Fields<WriteLedgerFields>(
                value,
                "a map with 'server' and one way to write, or with 'external'"
            )
        else {
            return nil
        }
        let server = reader.ledgerPlace(server: fields[.server], external: fields[.external], in: value)
        let name = fields[.ledger].map { $0.newName() } ?? server
        let rate = fields[.rate].map { $0.whole(in: 1...LedgerPlan.highestRate) }
        let connections = fields[.connections].map { $0.whole(in: 1...LedgerPlan.mostConnections) } ?? 1
        let ports = server.flatMap(reader.lab.server)?.tcpPorts ?? []
        let ways = [fields[.path], fields[.http], fields[.sql]].compactMap(\.self)
        let isExternal = fields[.external] != nil
        guard ways.count == (isExternal ? 0 : 1) else {
            value.problem(
                isExternal
                    ? "an external service is written to as it is; expected none of path, http, sql, found \(ways.count)"
                    : "expected one of path, http, sql, found \(ways.count)"
            )
            return nil
        }
        let way =
            isExternal
            ? .external
            : fields[.path].flatMap { $0.guestPath("the ledger's file").map(LedgerPlan.Path.agent) }
                ?? fields[.http].flatMap { LedgerService($0, ports: ports).map(LedgerPlan.Path.http) }
                ?? fields[.sql].flatMap { LedgerTable($0, ports: ports).map(LedgerPlan.Path.sql) }
        guard let way, let server, let name, let connections, rate != .some(nil) else { return nil }
        plan = LedgerPlan(name: name, server: server, path: way, rate: rate ?? nil, connections: connections)
        if let refusal = plan.refusal { value.problem(refusal) }
        if case .agent(let path) = way { WriteLedgerStep.requireVolume(path, fields[.path], of: server, reader) }
    }

    private static func requireVolume(_ path: String, _ value: Value?, of server: Name, _ reader: StepReader) {
        guard let declared = reader.lab.server(server), declared.spec != nil,
            !declared.mounts.contains(where: { path.hasPrefix($0 + "/") })
        else { return }
        let mounts = declared.mounts.sorted().joined(separator: ", ")
        value?.problem(
            "expected a file on a volume of '\(server)' (\(mounts.isEmpty ? "it has none" : mounts)), found '\(path)'; "
                + "anything else is gone after a replacement"
        )
    }

    var summary: String { "write-ledger \(plan.server)" + (plan.name == plan.server ? "" : ", \(plan.name)") }

    func foresee(_ forecast: inout LabForecast) {
        forecast.beginLedger(plan.name, on: plan.server, isInGuest: plan.isInGuest)
    }

    func perform(_ context: RunContext, as id: StepID) async throws -> StepYield {
        try await context.beginLedger(plan)
        return StepYield()
    }
}

/// The fields of a `write-ledger` step.
enum WriteLedgerFields: String, FileField {
    case server, external, path, http, sql, ledger, rate, connections

    // Or 'external' in its place, which the decoder says.
    static let required: [WriteLedgerFields] = []

    var schema: JSONValue {
        switch self {
        case .server: Schema.name("The server whose machine writes; this or external is needed.")
        case .external: Schema.name("The external service that takes records as rows, in place of a server.")
        case .path: Schema.guestPath("The ledger's file, on a volume of the server: a program in the guest writes it.")
        case .http: Schema.object(LedgerServiceFields.self, "A service that takes records over HTTP.")
        case .sql: Schema.object(LedgerTableFields.self, "A PostgreSQL database that takes records as rows.")
        case .ledger: Schema.name("What the ledger is called; as the server without it.")
        case .rate:
            Schema.whole(1...LedgerPlan.highestRate, "Records a second at most; as fast as possible without it.")
        case .connections: Schema.whole(1...LedgerPlan.mostConnections, "Over how many connections; 1 without it.")
        }
    }
}
