import KilnEngine
import KilnModel
import Synchronization

extension FakeWorld {
    /// A mistake that is made on purpose, to see that the checks find it.
    public enum Bug: Sendable {
        /// The volumes pass on as soon as the old machine was asked to end: it is taken to be off without having been
        /// looked at, and nobody is taken to hold its disks.
        case handoverBeforeProof
    }
}

/// Says that every machine that was asked to shut down is off.
final class HastyMachines: MachineControl {
    private let machines: FakeHypervisor
    private let asked = Mutex<Set<MachineID>>([])

    init(_ machines: FakeHypervisor) { self.machines = machines }

    var platform: Platform { machines.platform }
    var user: MachineSpec.User? { machines.user }

    func define(_ machine: MachineSpec) async throws { try await machines.define(machine) }
    func start(_ machine: MachineID, forwards: [PortForward]) async throws {
        asked.withLock { _ = $0.remove(machine) }
        try await machines.start(machine, forwards: forwards)
    }
    func requestShutdown(_ machine: MachineID) async throws -> String? {
        defer { asked.withLock { _ = $0.insert(machine) } }
        return try await machines.requestShutdown(machine)
    }
    func disks(of machine: MachineID) async throws -> [String] { try await machines.disks(of: machine) }
    func powerOff(_ machine: MachineID) async throws { try await machines.powerOff(machine) }
    func reboot(_ machine: MachineID) async throws { try await machines.reboot(machine) }
    func undefine(_ machine: MachineID) async throws { try await machines.undefine(machine) }
    func state(of machine: MachineID) async throws -> MachineState {
        let real = try await machines.state(of: machine)
        return asked.withLock { $0.contains(machine) } ? .off : real
    }
    func waitUntilOff(_ machine: MachineID, within deadline: Duration) async throws -> Bool { true }
    func machines() async throws -> [MachineID: MachineState] { try await machines.machines() }
    func detachSeed(_ machine: MachineID, path: String) async throws {
        try await machines.detachSeed(machine, path: path)
    }
    func setLink(of machine: MachineID, isUp: Bool) async throws {
        try await machines.setLink(of: machine, isUp: isUp)
    }
    func definition(of machine: MachineID) async throws -> String? { try await machines.definition(of: machine) }
    func processLog(of machine: MachineID) throws -> String { try machines.processLog(of: machine) }
    func lastWords(of machine: MachineID) -> String? { machines.lastWords(of: machine) }
    func attach(_ volume: MachineSpec.Volume, to machine: MachineSpec) async throws {
        try await machines.attach(volume, to: machine)
    }
    func moveVolume(_ volume: VolumeID, of machine: MachineID, to layer: String) async throws {
        try await machines.moveVolume(volume, of: machine, to: layer)
    }
    func activeLayer(of volume: VolumeID, in machine: MachineID) async throws -> String? {
        try await machines.activeLayer(of: volume, in: machine)
    }
    func templateGround() async throws -> String { try await machines.templateGround() }
    func startTemplate(_ machine: MachineSpec) async throws { try await machines.startTemplate(machine) }
    func saveTemplate(_ machine: MachineSpec, devices: String) async throws {
        try await machines.saveTemplate(machine, devices: devices)
    }
    func clone(_ machine: MachineSpec, memory: String, devices: String) async throws {
        try await machines.clone(machine, memory: memory, devices: devices)
    }
    func monitor(_ command: String, _ arguments: [String: JSONValue], of machine: MachineID) async throws -> JSONValue {
        try await machines.monitor(command, arguments, of: machine)
    }
}

/// Sees nobody.
struct BlindHolders: HolderInspection {
    func holders(of path: String) throws -> [FileHolder] { [] }
    func isLockObtainable(_ path: String) throws -> Bool { true }
}
