import KilnEngine
import KilnFaults
import KilnModel
import KilnSystem
import Synchronization

/// A host whose processes are the machines of a world: signals change what the fake hypervisor says of them.
public final class FakeLinuxHost: Sendable {
    private let world: FakeWorld
    private let state = Mutex(State())

    private struct State {
        var isDeaf = false
        var stopped: Set<Int32> = []
        var signals: [Int32] = []
        var held = 0
        var locks: Set<String> = []
        var programs: Set<Int32> = []
        var erased: [String: Set<DiskPart>] = [:]
    }

    /// The host of a world.
    public init(_ world: FakeWorld) { self.world = world }

    /// Lets nothing that is done to it have an effect from now on: faults that do not strike.
    public func ignoreFaults() { state.withLock { $0.isDeaf = true } }

    /// The signals that were sent, in order.
    public var signals: [Int32] { state.withLock { $0.signals } }

    /// Another process of this host, which is no machine.
    public func adopt(_ pid: Int32) { state.withLock { _ = $0.programs.insert(pid) } }

    /// What is held and was not given back.
    public var held: Int { state.withLock { $0.held } }

    private func machine(_ pid: Int32) -> MachineID? {
        world.hypervisor.alive.first { FakeHolders.pid(of: $0) == pid }
    }

    fileprivate func released() { state.withLock { $0.held -= 1 } }
}

extension FakeLinuxHost: HostControl {
    package func send(_ signal: Int32, to pid: Int32) -> Bool {
        guard let machine = machine(pid) else { return end(pid, by: signal) }
        return state.withLock { state in
            state.signals.append(signal)
            guard !state.isDeaf else { return false }
            switch signal {
            case 9: world.hypervisor.set(machine, .off)
            case 18: state.stopped.remove(pid)
            case 19: state.stopped.insert(pid)
            default: break
            }
            return true
        }
    }

    private func end(_ pid: Int32, by signal: Int32) -> Bool {
        state.withLock { signal == 9 && !$0.isDeaf && $0.programs.remove(pid) != nil }
    }

    package func state(of pid: Int32) -> HostProcesses.State {
        if state.withLock({ $0.programs.contains(pid) }) { return .running }
        guard machine(pid) != nil else { return .gone }
        return state.withLock { $0.stopped.contains(pid) } ? .stopped : .running
    }

    package func arguments(of pid: Int32) -> [String] { [] }

    package func hold(_ path: String) throws -> any HeldResource {
        guard try world.holders.isLockObtainable(path) else {
            throw KilnError(.faultImpossible, "\(path) is held", exit: .aborted)
        }
        if !state.withLock({ $0.isDeaf }) { world.holders.hold(path, by: FileHolder(pid: 1, name: "fault")) }
        state.withLock { $0.held += 1 }
        return Held(self) { [world] in world.holders.hold(path, by: nil) }
    }

    package func listen(on port: UInt16) throws -> any HeldResource {
        if !state.withLock({ $0.isDeaf }) { world.ports.take(port) }
        state.withLock { $0.held += 1 }
        return Held(self) { [world] in world.ports.free(port) }
    }

    package func erase(_ part: DiskPart, of disk: String) async throws {
        state.withLock { state in if !state.isDeaf { state.erased[disk, default: []].insert(part) } }
    }

    package func isErased(_ part: DiskPart, of disk: String) async throws -> Bool {
        state.withLock { $0.erased[disk]?.contains(part) == true }
    }

    private final class Held: HeldResource {
        private let host: FakeLinuxHost
        private let undo: @Sendable () -> Void
        private let isReleased = Mutex(false)

        init(_ host: FakeLinuxHost, _ undo: @escaping @Sendable () -> Void) {
            self.host = host
            self.undo = undo
        }

        func release() {
            let isFirst = isReleased.withLock { released in
                defer { released = true }
                return !released
            }
            guard isFirst else { return }
            undo()
            host.released()
        }
    }
}
