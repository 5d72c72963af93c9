import KilnModel

/// What a slot of a front has to do now.
public struct FrontTraffic: Sendable, Hashable, Codable {
    /// The port's name.
    public let port: Name
    /// The member.
    public let ordinal: Int
    /// How many connections it has now, those that wait for it included.
    public let connections: Int
    /// How many it has had since the front began.
    public let total: Int

    /// Traffic from its parts.
    public init(port: Name, ordinal: Int, connections: Int, total: Int) {
        self.port = port
        self.ordinal = ordinal
        self.connections = connections
        self.total = total
    }
}

extension FrontTraffic {
    /// A member's share of all requests, in percent; nothing before there was one.
    static func share(of ordinal: Int, in traffic: [FrontTraffic]) -> Int? {
        let all = traffic.map(\.total).reduce(0, +)
        guard all > 0 else { return nil }
        return (traffic.filter { $0.ordinal == ordinal }.map(\.total).reduce(0, +) * 100 + all / 2) / all
    }
}

/// Tells of the answers that the clients of a server get.
public protocol FrontLog: Sendable {
    /// Those that came since it was asked last, or the first that come within `limit`.
    func answers(within limit: Duration) async throws -> [FrontAnswer]
}

/// Runs the fronts of servers: the processes that own the published ports where clients are kept.
///
/// A front outlives commands, and is started again by itself when it dies. All methods can be repeated, and throw `KilnError`.
public protocol FrontControl: Sendable {
    /// Throws `front.no-program` where this host can't run one.
    func requireProgram() throws
    /// Makes the front of a server do what the plan says, and sees that it does; one that does not run is started.
    ///
    /// Who serves changes under waiting requests. For other ports, or another way to keep clients, another process takes over:
    /// what waits in the one before waits in vain, so somebody should serve then. What that one has begun it ends beside its successor.
    ///
    /// - Throws: `front.failed`, `front.no-program`, `port.taken`.
    func apply(_ plan: FrontPlan, to server: ServerID) async throws
    /// Waits until the processes that a front consisted of before have ended what they had begun, or `limit` is over.
    func awaitPredecessors(of server: ServerID, within limit: Duration) async throws
    /// What its slots have to do; nothing where it does not run.
    func traffic(of server: ServerID) async throws -> [FrontTraffic]?
    /// What all of its ports and slots have to do together, and when that was so; nothing where it does not run.
    ///
    /// A load is what was counted in a time, and on a busy host the caller may go on much later.
    func load(of server: ServerID) async throws -> (load: FrontLoad, time: ContinuousClock.Instant)?
    /// Hears of each answer that the clients of a server get from now on, as long as the result is there; one can listen at a time.
    ///
    /// - Throws: `front.failed`.
    func listen(to server: ServerID) async throws -> any FrontLog
    /// Lets no request through for so long, whoever serves; zero lets them through again.
    ///
    /// It ends by itself, for who wanted it may be killed meanwhile.
    ///
    /// - Throws: `front.failed`, also where the front does not know how because an earlier Kiln started it.
    func pause(_ server: ServerID, for time: Duration) async throws
    /// Ends the connections that a member still has.
    func cut(_ ordinal: Int, of server: ServerID) async throws
    /// Ends the front with all that waits in it, and removes what it is reached by; one that does not run has ended already.
    func end(_ server: ServerID) async throws
    /// Ends the fronts of all other servers of this state directory, or only tells; returns what they left, a line each.
    ///
    /// - Parameter servers: is asked after it was looked who is there, so that nobody is missed who comes meanwhile.
    func endAbandoned(
        dryRun: Bool,
        besides servers: @escaping @Sendable () throws -> Set<ServerID>
    ) async throws -> [String]
}
