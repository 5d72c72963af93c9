import KilnModel
import Synchronization

/// The kilns that work on servers of a run, besides the one that runs it.
package final class KilnsAtWork: Sendable {
    private let processes = Mutex<[MemberID: Int32]>([:])

    /// None yet.
    init() {}

    /// Notes which process works on a server; nothing means that none does any more.
    package func note(_ pid: Int32?, on server: MemberID) { processes.withLock { $0[server] = pid } }

    /// The process that works on a server.
    func process(of server: MemberID) -> Int32? { processes.withLock { $0[server] } }
}
