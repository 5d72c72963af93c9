import KilnEngine
import KilnModel
import Synchronization

/// Lets writes of a machine to one of its disks fail; QEMU pauses the machine then, as for any disk that refuses.
struct FailingWrites: Sendable {
    let target: DiskTarget
    /// A number of errno(3).
    let code: Int32
    let isOnce: Bool

    func strike(_ ground: FaultGround) async throws -> StruckFault {
        let machine = try ground.machine(target.machine)
        let filter = BlockErrorFilter(try await node(of: machine, ground), code: code, isOnce: isOnce)
        try await insert(filter, machine, ground)
        let watch = PauseWatch(machine, ground.parts.machines)
        return StruckFault(
            proof: { try await watch.look() ? "a write failed, and \(machine) was paused" : nil },
            undo: {
                watch.end()
                try await FailingWrites.remove(filter, machine, ground)
            }
        )
    }

    private func node(of machine: MachineID, _ ground: FaultGround) async throws -> BlockNode {
        try ground.requireAwake(machine)
        let (path, pid) = (try target.path(of: machine, ground), try ground.process(of: machine))
        if let node = BlockNode.ofStart(ground.host.arguments(of: pid), path: path) { return node }
        let nodes = try await ground.parts.machines.monitor("query-named-block-nodes", [:], of: machine)
        guard let node = BlockNode.plugged(nodes, path: path) else {
            throw FaultGround.impossible("\(machine) does not have \(target.words)")
        }
        return node
    }

    private func insert(_ filter: BlockErrorFilter, _ machine: MachineID, _ ground: FaultGround) async throws {
        let machines = ground.parts.machines
        do {
            for command in filter.insertion { try await machines.monitor(command, of: machine) }
        } catch {
            // It was made maybe, and is not in the way.
            try? await machines.monitor(filter.deletion, of: machine)
            throw error
        }
    }

    /// Takes the filter out, and lets a machine go on that it paused; one that has ended took it along.
    private static func remove(_ filter: BlockErrorFilter, _ machine: MachineID, _ ground: FaultGround) async throws {
        let machines = ground.parts.machines
        guard try await machines.state(of: machine).isAlive else { return }
        try ground.requireAwake(machine)
        for command in filter.removal { try await machines.monitor(command, of: machine) }
        if try await machines.state(of: machine) == .paused { _ = try await machines.monitor("cont", [:], of: machine) }
    }
}

/// Notes whether a machine was ever seen paused: who works with it may let it go on, or end it.
private final class PauseWatch: Sendable {
    private let flag: Flag
    private let looking: Task<Void, any Error>
    private let isPaused: @Sendable () async throws -> Bool

    init(_ machine: MachineID, _ machines: any MachineMonitor & MachineInspection) {
        let seen = Flag()
        let isPaused = { @Sendable () async throws -> Bool in try await machines.state(of: machine) == .paused }
        self.isPaused = isPaused
        flag = seen
        looking = Task {
            // libvirt tells of it by an event, which may be lost.
            while !Task.isCancelled {
                if (try? await isPaused()) == true { seen.set() }
                try await Task.sleep(for: .milliseconds(100))
            }
        }
    }

    deinit { looking.cancel() }

    func look() async throws -> Bool {
        if flag.isSet { return true }
        return try await isPaused()
    }

    func end() { looking.cancel() }
}

/// Something that happened, or did not.
private final class Flag: Sendable {
    private let value = Mutex(false)
    var isSet: Bool { value.withLock { $0 } }
    func set() { value.withLock { $0 = true } }
}

extension MachineMonitor {
    /// Sends a command of a filter.
    fileprivate func monitor(_ command: BlockErrorFilter.Command, of machine: MachineID) async throws {
        _ = try await monitor(command.name, command.arguments, of: machine)
    }
}
