import KilnModel

/// Transfers between accounts in a database, as a scenario asks for them: whatever becomes of the server, the total stays.
public struct BankPlan: Sendable, Hashable {
    /// Its name, once per scenario.
    public let name: Name
    /// The server, or the external service.
    public let server: Name
    /// The database of the server; nothing where the external service in its place is the database.
    public let table: LedgerTable?
    /// How many accounts there are, two at least.
    public let accounts: Int
    /// What each of them holds at first.
    public let balance: Int
    /// Over how many connections at a time transfers are made.
    public let connections: Int
    /// How many transfers a second, at most; nothing means as fast as the database takes them.
    public let rate: Int?

    /// A plan from its parts.
    public init(
        name: Name,
        server: Name,
        table: LedgerTable?,
        accounts: Int = 10,
        balance: Int = 1_000,
        connections: Int = 4,
        rate: Int? = nil
    ) {
        self.name = name
        self.server = server
        self.table = table
        self.accounts = accounts
        self.balance = balance
        self.connections = connections
        self.rate = rate
    }

    /// Why it can't be carried out; nothing where it can.
    public var refusal: String? {
        if !(2...1_000).contains(accounts) { return "expected 2 to 1000 accounts, found \(accounts)" }
        if !(1...1_000_000).contains(balance) { return "expected a balance of 1 to 1000000, found \(balance)" }
        if let rate, !(1...LedgerPlan.highestRate).contains(rate) {
            return "expected a rate of 1 to \(LedgerPlan.highestRate), found \(rate)"
        }
        let most = LedgerPlan.mostConnections
        return (1...most).contains(connections) ? nil : "expected 1 to \(most) connections, found \(connections)"
    }

    /// What all accounts hold together, always.
    public var total: Int { accounts * balance }
}
