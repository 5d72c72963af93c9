import KilnModel
import KilnSystem

/// What a probe found.
public enum ProbeFinding: Sendable, Hashable {
    /// It holds.
    case holds
    /// It does not hold yet; says what was found instead.
    case notYet(String)
    /// It can't come to hold any more; says why.
    case failed(String)
    /// It does not hold, and a command says that the data is to blame; says what was found instead.
    case dataDamaged(String)
}

/// Over which connection a request goes.
public enum ConnectionUse: String, Sendable, Hashable, Codable, CaseIterable {
    /// One of its own, which is closed afterwards.
    case new
    /// One that an earlier request left open, where there is one; it is left open again.
    case kept
}

/// Talks to published ports on 127.0.0.1.
public protocol NetworkProbe: Sendable {
    /// Makes a request of a port of this host and judges the answer, which may take until `limit` has passed.
    func http(_ probe: HTTPProbe, on port: UInt16, within limit: Duration) async -> ProbeFinding
    /// Makes a request of a port of this host, once and never again, and gives what was answered, or why nothing was.
    ///
    /// What the request expects is not looked at; see ``HTTPAnswer/finding(for:)``.
    func exchange(
        _ request: HTTPProbe,
        on port: UInt16,
        over connection: ConnectionUse,
        within limit: Duration
    ) async -> Result<HTTPAnswer, NoAnswer>
    /// Connects, sends, and looks for a text in what comes back until `limit` has passed.
    func tcp(port: UInt16, send: String?, expect: String, within limit: Duration) async -> ProbeFinding
}

/// Chooses and keeps ports of the host.
public protocol HostPorts: Sendable {
    /// Whether the port can be bound on 127.0.0.1 now.
    func isFree(_ port: UInt16, _ transport: Transport) -> Bool
    /// The lowest port that the machines' user, who has no privilege, may listen on.
    var lowest: UInt16 { get }
    /// The ports to choose from: outside the kernel's ephemeral range.
    var choice: ClosedRange<UInt16> { get }
    /// Keeps ordinary processes from binding the TCP ports, while QEMU still can; until the reservation is released.
    func reserve(_ ports: [UInt16]) throws -> any PortReservation
}

/// Ports that are kept.
public protocol PortReservation: Sendable {
    /// Gives the ports free.
    func release()
}
