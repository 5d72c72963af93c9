import KilnModel
import Synchronization

/// Numbered lines that machines write to their volumes, and which of them were acknowledged.
public final class Ledger: Sendable {
    private let state = Mutex((next: 1, acknowledged: [String]()))

    /// An empty ledger.
    public init() {}

    /// The lines that a machine has written, oldest first.
    public var acknowledged: [String] { state.withLock { $0.acknowledged } }

    /// Lets every running machine of a server with volumes write its next line; a rehearsal writes to clones, which are no
    /// part of what was promised.
    public func write(_ hypervisor: FakeHypervisor, of server: MemberID) {
        state.withLock { state in
            let machines = hypervisor.alive.filter { $0.member == server }
            for machine in machines.sorted(by: { $0.generation < $1.generation }) {
                let line = "\(state.next) by \(machine)"
                state.next += 1
                if hypervisor.write(line, by: machine) { state.acknowledged.append(line) }
            }
        }
    }
}
