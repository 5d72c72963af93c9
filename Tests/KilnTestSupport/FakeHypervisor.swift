import Foundation
import KilnEngine
import KilnModel
import Synchronization

/// Machines in memory, with QEMU's write locks: a machine can't start on a file that another one writes to.
public final class FakeHypervisor: MachineControl {
    struct Machine: Sendable {
        var spec: MachineSpec
        var state = MachineState.off
        var forwards: [PortForward] = []
        var looksUntilOff: Int?
        var starts = 0
    }

    private struct State {
        var machines: [MachineID: Machine] = [:]
        var behaviours: [String: GuestBehaviour] = [:]
        var violations: [String] = []
        var waits: [MachineID: [Duration]] = [:]
        var boots: [MachineID: Int] = [:]
        var links: [Bool] = []
        var monitor: @Sendable (String, [String: JSONValue], MachineID) throws -> JSONValue = { _, _, _ in .null }
        var monitored: [String] = []
        var processLog: String?
        var lastWords: String?
        var ground = "QEMU of a fake"
        var clones: [MachineID] = []
    }

    /// A fixed answer: machines are slow.
    public let platform = Platform(
        acceleration: .tcg,
        kernelWords: ["fake.words"],
        signs: [Platform.ConsoleSign("int3:", processors: 2, hint: "give the server 'processors: 1'")],
        crashes: ["Oops: "]
    )
    /// A fixed answer: the hypervisor knows.
    public let user: MachineSpec.User? = nil
    private let faults: Faults
    private let state = Mutex(State())

    init(_ faults: Faults) { self.faults = faults }

    // MARK: - What tests set and see

    /// Says what guests of an image do, by the path of its disk.
    public func setBehaviour(_ behaviour: GuestBehaviour, ofImage disk: String) {
        state.withLock { $0.behaviours[disk] = behaviour }
    }

    /// Starts that QEMU would have refused, and disks that differ from what they are said to be: never the engine's
    /// right.
    public var violations: [String] { state.withLock { $0.violations } }

    /// The machines that have a process.
    public var alive: Set<MachineID> {
        state.withLock { state in Set(state.machines.filter { $0.value.state.isAlive }.keys) }
    }

    /// What a machine was defined as.
    public func spec(_ machine: MachineID) -> MachineSpec? { state.withLock { $0.machines[machine]?.spec } }

    /// How often a machine was started.
    public func starts(_ machine: MachineID) -> Int { state.withLock { $0.machines[machine]?.starts ?? 0 } }

    /// For how long somebody would have waited for the end of a machine.
    public func waits(_ machine: MachineID) -> [Duration] { state.withLock { $0.waits[machine] ?? [] } }

    /// How often a machine was started, also before it was forgotten.
    public func boots(_ machine: MachineID) -> Int { state.withLock { $0.boots[machine] ?? 0 } }

    /// Changes a machine behind the engine's back.
    public func set(_ machine: MachineID, _ new: MachineState) {
        state.withLock { $0.machines[machine]?.state = new }
    }

    /// Defines a machine, or forgets it where there is no specification, behind the engine's back.
    public func redefine(_ machine: MachineID, _ spec: MachineSpec?) {
        state.withLock { $0.machines[machine] = spec.map { Machine(spec: $0) } }
    }

    /// Lets a running machine write one line to the active layer of each of its volumes.
    ///
    /// - Returns: whether it did; false where it does not run or has no volume.
    public func write(_ line: String, by machine: MachineID) -> Bool {
        state.withLock { state in
            guard let found = state.machines[machine], found.state == .running, !found.spec.volumes.isEmpty else {
                return false
            }
            return found.spec.volumes.allSatisfy { FakeDisks.append(line, to: $0.disk.path) }
        }
    }

    /// The machine that answers on a port of the host.
    public func running(onPort port: UInt16) -> MachineID? {
        state.withLock { state in
            state.machines.first { id, machine in
                machine.state == .running && machine.forwards.contains { $0.host == port }
            }?.key
        }
    }

    func behaviour(_ machine: MachineID) -> GuestBehaviour? {
        state.withLock { state in
            guard let found = state.machines[machine], found.state == .running else { return nil }
            return found.looksUntilOff == nil ? behaviour(found, state) : GuestBehaviour(.switchesOff)
        }
    }

    func holders(of path: String) -> [MachineID] {
        state.withLock { state in
            state.machines.filter { $0.value.state.isAlive && FakeHypervisor.writable($0.value.spec).contains(path) }
                .map(\.key)
        }
    }

    private func behaviour(_ machine: Machine, _ state: borrowing State) -> GuestBehaviour {
        var behaviour = state.behaviours[machine.spec.root.backing.last ?? ""] ?? GuestBehaviour()
        if behaviour.boot == .emulationFailsOnce { behaviour.boot = machine.starts > 1 ? .ready : .emulationFails }
        return behaviour
    }

    private static func writable(_ spec: MachineSpec) -> [String] {
        [spec.root.path] + spec.volumes.map(\.disk.path)
    }

    // MARK: - MachineControl

    /// Defines the machine; refuses to change one that runs.
    public func define(_ machine: MachineSpec) async throws {
        try faults.call("define") {
            try state.withLock { state in
                if state.machines[machine.id]?.state.isAlive == true {
                    throw KilnError("machine.running", "\(machine.id) runs", exit: .blocked)
                }
                let starts = state.machines[machine.id]?.starts ?? 0
                state.machines[machine.id] = Machine(spec: machine, starts: starts)
            }
        }
    }

    /// Starts it, unless a file or port of it is taken.
    public func start(_ machine: MachineID, forwards: [PortForward]) async throws {
        try faults.call("start") {
            let console = try state.withLock { state in try boot(machine, forwards, &state) }
            guard let console else { return }
            // As a hypervisor does: what earlier boots said stays.
            let said = FileManager.default.contents(atPath: console.path) ?? Data()
            try (said + Data(console.text.utf8)).write(to: URL(fileURLWithPath: console.path))
        }
    }

    private func boot(
        _ id: MachineID,
        _ forwards: [PortForward],
        _ state: inout State
    ) throws -> (path: String, text: String)? {
        guard var machine = state.machines[id] else { throw KilnError("machine.missing", "no \(id)") }
        if machine.state == .paused, behaviour(machine, state).boot != .pauses { state.machines[id]?.state = .running }
        if machine.state.isAlive {
            if let problem = takenPort(forwards, by: id, state) {
                throw KilnError(.portTaken, "\(id): \(problem)", exit: .blocked)
            }
            state.machines[id]?.forwards = forwards
            return nil
        }
        if let problem = refusal(machine, forwards, state) {
            state.violations.append("start of \(id): \(problem)")
            throw KilnError("machine.start-failed", "\(id): \(problem)", exit: .aborted)
        }
        machine.forwards = forwards
        machine.looksUntilOff = nil
        machine.starts += 1
        state.boots[id, default: 0] += 1
        let behaviour = behaviour(machine, state)
        switch behaviour.boot {
        case .switchesOff: machine.state = .off
        case .pauses: machine.state = .paused
        case .ready, .silent, .hangs, .cloudInitFails, .degraded, .panics, .emulationFails, .emulationFailsOnce:
            machine.state = .running
        }
        state.machines[id] = machine
        if behaviour.formats {
            machine.spec.volumes.forEach { _ = FakeDisks.append(FakeDisks.format, to: $0.disk.path) }
        }
        return (machine.spec.consoleLog, behaviour.console + "\n")
    }

    private func refusal(_ machine: Machine, _ forwards: [PortForward], _ state: borrowing State) -> String? {
        let own = FakeHypervisor.writable(machine.spec)
        for (id, other) in state.machines where other.state.isAlive && id != machine.spec.id {
            if let shared = own.first(where: FakeHypervisor.writable(other.spec).contains) {
                return "failed to get 'write' lock on \(shared), held by \(id)"
            }
        }
        if let problem = takenPort(forwards, by: machine.spec.id, state) { return problem }
        return ([machine.spec.root] + machine.spec.volumes.map(\.disk)).lazy.compactMap(FakeDisks.problem).first
    }

    private func takenPort(_ forwards: [PortForward], by own: MachineID, _ state: borrowing State) -> String? {
        for (id, other) in state.machines where other.state.isAlive && id != own {
            if let port = forwards.first(where: { forward in other.forwards.contains { $0.host == forward.host } }) {
                return "could not set up host forwarding of \(port.host), taken by \(id)"
            }
        }
        return nil
    }

    /// Asks the guest, which does what its behaviour says.
    public func requestShutdown(_ machine: MachineID) async throws -> String? {
        try faults.call("requestShutdown") {
            state.withLock { state in
                guard let found = state.machines[machine], found.state == .running else { return }
                switch behaviour(found, state).shutdown {
                case .obeys: state.machines[machine]?.state = .off
                case .ignores: break
                case .late: state.machines[machine]?.looksUntilOff = 1
                }
            }
            return nil
        }
    }

    /// Switches it off.
    public func powerOff(_ machine: MachineID) async throws {
        try faults.call("powerOff") { state.withLock { $0.machines[machine]?.state = .off } }
    }

    /// Nothing that a test could see.
    public func reboot(_ machine: MachineID) async throws { try faults.call("reboot") {} }

    /// Forgets it; refuses to forget one that runs.
    public func undefine(_ machine: MachineID) async throws {
        try faults.call("undefine") {
            try state.withLock { state in
                if state.machines[machine]?.state.isAlive == true {
                    throw KilnError("machine.running", "\(machine) runs", exit: .blocked)
                }
                state.machines[machine] = nil
            }
        }
    }

    /// Its state.
    public func state(of machine: MachineID) async throws -> MachineState {
        try faults.call("state") {
            state.withLock { state in
                if let looks = state.machines[machine]?.looksUntilOff {
                    state.machines[machine]?.looksUntilOff = looks - 1
                    if looks == 0 { state.machines[machine]?.state = .off }
                }
                return state.machines[machine]?.state ?? .absent
            }
        }
    }

    /// Answers at once: what has not happened by now never will.
    public func waitUntilOff(_ machine: MachineID, within deadline: Duration) async throws -> Bool {
        try faults.call("waitUntilOff") {
            state.withLock { state in
                state.waits[machine, default: []].append(deadline)
                return state.machines[machine]?.state.isAlive != true
            }
        }
    }

    /// All machines.
    public func machines() async throws -> [MachineID: MachineState] {
        try faults.call("machines") { state.withLock { $0.machines.mapValues(\.state) } }
    }

    /// Takes the seed out of the definition.
    public func detachSeed(_ machine: MachineID, path: String) async throws {
        try faults.call("detachSeed") { state.withLock { $0.machines[machine]?.spec.seed = nil } }
    }

    /// Gives a running machine one more volume, unless another one writes to it.
    public func attach(_ volume: MachineSpec.Volume, to machine: MachineSpec) async throws {
        try faults.call("attach") {
            try state.withLock { state in
                guard let found = state.machines[machine.id], found.state.isAlive else {
                    throw KilnError("machine.missing", "\(machine.id) does not run", exit: .aborted)
                }
                if found.spec.volumes.contains(where: { $0.id == volume.id }) { return }
                for (id, other) in state.machines where other.state.isAlive {
                    guard FakeHypervisor.writable(other.spec).contains(volume.disk.path) else { continue }
                    state.violations.append("attach to \(machine.id): \(volume.disk.path) is held by \(id)")
                    throw KilnError("machine.attach-failed", "held by \(id)", exit: .aborted)
                }
                state.machines[machine.id]?.spec.volumes.append(volume)
                if behaviour(found, state).formats { _ = FakeDisks.append(FakeDisks.format, to: volume.disk.path) }
            }
        }
    }

    /// Lets a machine with a process write to another file.
    public func moveVolume(_ volume: VolumeID, of machine: MachineID, to layer: String) async throws {
        try faults.call("moveVolume") {
            try state.withLock { state in
                guard let found = state.machines[machine], found.state.isAlive,
                    let index = found.spec.volumes.firstIndex(where: { $0.id == volume })
                else { throw KilnError(.machineNoVolume, "\(machine) has no \(volume)") }
                let old = found.spec.volumes[index].disk
                let disk = MachineSpec.Disk(path: layer, backing: [old.path] + old.backing)
                if let problem = FakeDisks.problem(disk) { state.violations.append("move of \(machine): \(problem)") }
                state.machines[machine]?.spec.volumes[index] = MachineSpec.Volume(id: volume, disk: disk)
            }
        }
    }

    /// The file that it writes to.
    public func activeLayer(of volume: VolumeID, in machine: MachineID) async throws -> String? {
        try faults.call("activeLayer") {
            state.withLock { state in
                guard let found = state.machines[machine], found.state.isAlive else { return nil }
                return found.spec.volumes.first { $0.id == volume }?.disk.path
            }
        }
    }

    /// The files of its disks.
    public func disks(of machine: MachineID) async throws -> [String] {
        try faults.call("disks") {
            state.withLock { $0.machines[machine].map { FakeHypervisor.writable($0.spec) } ?? [] }
        }
    }

    /// Remembers it.
    public func setLink(of machine: MachineID, isUp: Bool) async throws {
        try faults.call("setLink") { state.withLock { $0.links.append(isUp) } }
    }

    /// Says what monitors answer; without it nothing.
    public func answer(_ monitor: @escaping @Sendable (String, [String: JSONValue], MachineID) throws -> JSONValue) {
        state.withLock { $0.monitor = monitor }
    }

    /// The commands that monitors got, in order.
    public var monitored: [String] { state.withLock { $0.monitored } }

    /// Notes the command, and answers as a test says.
    public func monitor(
        _ command: String,
        _ arguments: [String: JSONValue],
        of machine: MachineID
    ) async throws -> JSONValue {
        try faults.call("monitor") {
            let answer = state.withLock { state in
                state.monitored.append(command)
                if command == "cont", state.machines[machine]?.state == .paused {
                    state.machines[machine]?.state = .running
                }
                return state.monitor
            }
            return try answer(command, arguments, machine)
        }
    }

    /// What links were set to, in order.
    public var links: [Bool] { state.withLock { $0.links } }

    // MARK: - Templates

    /// Lets the hypervisor be another one from now on, as far as templates are concerned.
    public func setTemplateGround(_ ground: String) { state.withLock { $0.ground = ground } }

    /// The machines that were cloned, in order.
    public var clones: [MachineID] { state.withLock { $0.clones } }

    /// A fixed answer, until a test says otherwise.
    public func templateGround() async throws -> String {
        try faults.call("templateGround") { state.withLock { $0.ground } }
    }

    /// A machine whose guest says that it is held, unless its kernel would panic; the file of its memory is a text.
    public func startTemplate(_ machine: MachineSpec) async throws {
        try faults.call("startTemplate") {
            guard let memory = machine.cloning?.memory else { throw KilnError("fake.no-template", "\(machine.id)") }
            let boot = state.withLock { state in
                var template = Machine(spec: machine)
                template.state = .running
                state.machines[machine.id] = template
                return behaviour(template, state)
            }
            let said = boot.boot == .panics ? boot.console : "kiln-guest: phase=held"
            try Data(said.utf8).write(to: URL(fileURLWithPath: machine.consoleLog))
            try Data("memory of \(machine.root.backing)".utf8).write(to: URL(fileURLWithPath: memory))
            _ = FakeDisks.append("held", to: machine.root.path)
        }
    }

    /// Writes what the devices hold, and forgets the machine.
    public func saveTemplate(_ machine: MachineSpec, devices: String) async throws {
        try faults.call("saveTemplate") {
            try Data("devices".utf8).write(to: URL(fileURLWithPath: devices))
            state.withLock { $0.machines[machine.id] = nil }
        }
    }

    /// A machine that stands still, unless its root is not what the template wrote.
    public func clone(_ machine: MachineSpec, memory: String, devices: String) async throws {
        try faults.call("clone") {
            guard FileManager.default.contents(atPath: memory) == Data("memory of \(machine.root.backing)".utf8),
                FileManager.default.contents(atPath: devices) == Data("devices".utf8),
                try FakeDisks.allLines(machine.root.path).contains("held")
            else { throw KilnError(.templateFailed, "\(machine.id) is not of this template", exit: .aborted) }
            try state.withLock { state in
                var clone = Machine(spec: machine, starts: 1)
                if let problem = refusal(clone, [], state) {
                    throw KilnError("machine.start-failed", "\(machine.id): \(problem)", exit: .aborted)
                }
                clone.state = .paused
                state.machines[machine.id] = clone
                state.boots[machine.id, default: 0] += 1
                state.clones.append(machine.id)
            }
        }
    }

    /// The definition as text.
    public func definition(of machine: MachineID) async throws -> String? {
        try faults.call("definition") { state.withLock { $0.machines[machine].map { "\($0.spec)" } } }
    }

    /// Says where the processes of all machines write to, and what they said last; without it they have no log.
    public func setProcessLog(_ path: String, lastWords: String?) {
        state.withLock { ($0.processLog, $0.lastWords) = (path, lastWords) }
    }

    /// What a test named.
    public func processLog(of machine: MachineID) throws -> String {
        guard let path = state.withLock({ $0.processLog }) else {
            throw KilnError(.logsNone, "a fake has no log of \(machine)", exit: .usage)
        }
        return path
    }

    /// What a test named.
    public func lastWords(of machine: MachineID) -> String? { state.withLock { $0.lastWords } }
}
