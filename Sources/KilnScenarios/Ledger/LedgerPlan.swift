import KilnModel

/// A ledger as a scenario asks for it.
public struct LedgerPlan: Sendable, Hashable {
    /// By which way its records reach the server.
    public enum Path: Sendable, Hashable {
        /// A program in the guest writes them to a file there, and the guest agent reads them back.
        case agent(file: String)
        /// Requests to a service.
        case http(LedgerService)
        /// Statements to a database of the server.
        case sql(LedgerTable)
        /// Statements to the external service that stands in the server's place.
        case external
    }

    /// The most records a second that can be asked for.
    public static let highestRate = 1_000
    /// The most connections at a time.
    public static let mostConnections = 16

    /// Its name, once per scenario.
    public let name: Name
    /// The server, or the external service.
    public let server: Name
    /// By which way its records reach the server.
    public let path: Path
    /// How many records a second, at most; nothing means as fast as they are acknowledged.
    public let rate: Int?
    /// Over how many connections at a time.
    public let connections: Int

    /// A plan from its parts.
    public init(name: Name, server: Name, path: Path, rate: Int? = nil, connections: Int = 1) {
        self.name = name
        self.server = server
        self.path = path
        self.rate = rate
        self.connections = connections
    }

    /// Why it can't be carried out; nothing where it can.
    public var refusal: String? {
        if let rate, !(1...LedgerPlan.highestRate).contains(rate) {
            return "expected a rate of 1 to \(LedgerPlan.highestRate), found \(rate)"
        }
        guard (1...LedgerPlan.mostConnections).contains(connections) else {
            return "expected 1 to \(LedgerPlan.mostConnections) connections, found \(connections)"
        }
        switch path {
        case .agent where connections > 1:
            return "expected 1 connection, found \(connections): the guest agent's way has only one"
        case .agent: return nil
        case .http(let service): return service.refusal
        case .sql, .external: return nil
        }
    }

    /// The time between two records of all connections.
    var interval: Duration { rate.map { .seconds(1) / $0 } ?? .zero }
}
