import KilnDocuments
import KilnEngine
import KilnModel

/// `bank`: starts transfers between accounts in the background; `verify-ledger` with its name ends and judges them.
struct BankStep: StepAction {
    static let kind = StepKind(
        word: "bank",
        about: "Starts transfers between accounts in a database.",
        fields: { Schema.object(BankFields.self, $0) },
        decode: { BankStep($0, $1) }
    )

    let plan: BankPlan

    var secrets: [String] { [plan.table?.login.password].compactMap(\.self) }

    init?(_ value: Value, _ reader: StepReader) {
        guard let fields = Fields<BankFields>(value, "a map with 'server' and 'sql', or with 'external'") else {
            return nil
        }
        let server = reader.ledgerPlace(server: fields[.server], external: fields[.external], in: value)
        let name = fields[.ledger].map { $0.newName() } ?? server
        let ports = server.flatMap(reader.lab.server)?.tcpPorts ?? []
        let table = fields[.sql].map { LedgerTable($0, ports: ports) }
        guard (table == nil) == (fields[.external] != nil) else {
            value.problem(
                table == nil ? "the field 'sql' is missing" : "expected 'sql' or 'external', found both"
            )
            return nil
        }
        let accounts = fields[.accounts].map { $0.whole(in: 2...1_000) } ?? 10
        let balance = fields[.balance].map { $0.whole(in: 1...1_000_000) } ?? 1_000
        let connections = fields[.connections].map { $0.whole(in: 1...LedgerPlan.mostConnections) } ?? 4
        let rate = fields[.rate].map { $0.whole(in: 1...LedgerPlan.highestRate) }
        guard let server, let name, table != .some(nil), let accounts, let balance, let connections, rate != .some(nil)
        else {
            return nil
        }
        plan = BankPlan(
            name: name,
            server: server,
            table: table ?? nil,
            accounts: accounts,
            balance: balance,
            connections: connections,
            rate: rate ?? nil
        )
    }

    var summary: String { "bank \(plan.server)" + (plan.name == plan.server ? "" : ", \(plan.name)") }

    func foresee(_ forecast: inout LabForecast) { forecast.beginLedger(plan.name, on: plan.server, isInGuest: false) }

    func perform(_ context: RunContext, as id: StepID) async throws -> StepYield {
        try await context.beginBank(plan)
        return StepYield()
    }
}

/// The fields of a `bank` step.
enum BankFields: String, FileField {
    case server, external, sql, ledger, accounts, balance, connections, rate

    // 'server' and 'sql', or 'external' in their place, which the decoder says.
    static let required: [BankFields] = []

    var schema: JSONValue {
        switch self {
        case .server: Schema.name("The server with the database; this or external is needed.")
        case .external: Schema.name("The external service that is the database, in place of server and sql.")
        case .sql: Schema.object(LedgerTableFields.self, "The PostgreSQL database of the server.")
        case .ledger: Schema.name("What it is called for 'verify-ledger'; as the server without it.")
        case .accounts: Schema.whole(2...1_000, "How many accounts there are; 10 without it.")
        case .balance: Schema.whole(1...1_000_000, "What each of them holds at first; 1000 without it.")
        case .connections: Schema.whole(1...LedgerPlan.mostConnections, "Over how many connections; 4 without it.")
        case .rate:
            Schema.whole(1...LedgerPlan.highestRate, "Transfers a second at most; as fast as possible without it.")
        }
    }
}
