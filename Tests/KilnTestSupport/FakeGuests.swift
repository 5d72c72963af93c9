import Foundation
import KilnEngine
import KilnModel
import Synchronization

/// The inside of the fake hypervisor's guests.
public final class FakeGuests: GuestAccess {
    private let faults: Faults
    private let hypervisor: FakeHypervisor
    private let frozen = Mutex<Set<MachineID>>([])
    private let answers = Mutex<[String: @Sendable (MachineID) -> Int32?]>([:])
    private let replies = Mutex<@Sendable ([String], MachineID) async -> GuestCommandResult?>({ _, _ in nil })
    private let commands = Mutex<[(machine: MachineID, line: String)]>([])
    private let files = Mutex<[MachineID: [String: [UInt8]]]>([:])
    private let isSlow = Mutex(false)

    init(_ faults: Faults, _ hypervisor: FakeHypervisor) {
        self.faults = faults
        self.hypervisor = hypervisor
    }

    /// Answers once the guest runs, unless it never will; one that panics is waited for in vain.
    public func awaitAgent(_ machine: MachineID, within deadline: Duration) async throws {
        try faults.call("awaitAgent") {}
        let end = ContinuousClock.now + deadline
        repeat {
            switch hypervisor.behaviour(machine)?.boot {
            case .silent: throw silent(machine)
            case nil, .hangs, .panics, .emulationFails, .switchesOff: break
            default:
                guard hypervisor.behaviour(machine)?.way == .agent else { break }
                return
            }
            try await Task.sleep(for: .milliseconds(5))
        } while ContinuousClock.now < end
        if let way = hypervisor.behaviour(machine)?.way, way != .agent { throw absent(machine) }
        throw KilnError(.guestAgentSilent, "the agent of \(machine) does not answer", exit: .deadline)
    }

    /// The way of the guest's behaviour, once it runs.
    public func awaitWay(into machine: MachineID, within deadline: Duration) async throws -> GuestWay {
        switch hypervisor.behaviour(machine)?.way {
        case .ssh?:
            guard isSlow.withLock({ $0 }) else { return .ssh }
            guard deadline > .seconds(30) else {
                throw KilnError(.guestSSHSilent, "the SSH server of \(machine) does not answer", exit: .deadline)
            }
            // Long enough for somebody to ask meanwhile who has less patience.
            try await Task.sleep(for: .milliseconds(700))
            isSlow.withLock { $0 = false }
            return .ssh
        case .closed?:
            // Who waits for it waits in vain; who asks by the way is told at once.
            if deadline > .seconds(30) { try await Task.sleep(for: deadline) }
            throw absent(machine)
        case .agent?, nil:
            try await awaitAgent(machine, within: deadline)
            return .agent
        }
    }

    /// Lets guests that are reached by SSH answer only who is patient, for the first time.
    public func beSlow() { isSlow.withLock { $0 = true } }

    private func absent(_ machine: MachineID) -> KilnError {
        KilnError(.guestNoAgent, "no agent runs in \(machine), and no SSH server answers", exit: .deadline)
    }

    // A guest that nobody gets into.
    private func requireWay(_ machine: MachineID) throws {
        if hypervisor.behaviour(machine)?.way == .closed { throw absent(machine) }
    }

    /// Says with which exit status a program ends; nothing means that it never does.
    public func answer(_ program: String, _ status: @escaping @Sendable (MachineID) -> Int32?) {
        answers.withLock { $0[program] = status }
    }

    /// Says what commands answer; where it says nothing, a command says what it was told to run.
    public func reply(_ reply: @escaping @Sendable ([String], MachineID) async -> GuestCommandResult?) {
        replies.withLock { $0 = reply }
    }

    /// The command lines that a program got, with the machine, in order.
    public func commands(of program: String) -> [(machine: MachineID, line: String)] {
        commands.withLock { all in all.filter { $0.line.hasPrefix(program) } }
    }

    /// Says what it was told to run.
    public func run(_ command: GuestCommand, in machine: MachineID) async throws -> GuestCommandResult {
        let reply = replies.withLock { $0 }
        if hypervisor.behaviour(machine) != nil, let said = await reply(command.arguments, machine) {
            return try faults.call("run") { said }
        }
        return try faults.call("run") {
            try requireWay(machine)
            guard let behaviour = hypervisor.behaviour(machine), behaviour.boot != .silent else {
                throw silent(machine)
            }
            let line = command.arguments.joined(separator: " ")
            commands.withLock { $0.append((machine, line)) }
            let isMount = command.arguments.contains { ["ask", "look", "glance"].contains($0) }
            var status: Int32 = command.arguments.first == "false" || isMount && !behaviour.mounts ? 1 : 0
            if let program = command.arguments.first, let answer = answers.withLock({ $0[program] }) {
                guard let found = answer(machine) else {
                    throw KilnError("guest.command-timeout", "no end within \(command.deadline)", exit: .deadline)
                }
                status = found
            }
            return GuestCommandResult(
                status: status,
                output: Array(line.utf8),
                errors: []
            )
        }
    }

    /// cloud-init's own files, as the guest's behaviour has them, or what was written before.
    public func read(_ path: String, in machine: MachineID, limit: Int) async throws -> [UInt8]? {
        try faults.call("read") {
            try requireWay(machine)
            guard let behaviour = hypervisor.behaviour(machine) else { throw silent(machine) }
            switch path {
            case "/run/cloud-init/result.json": return result(behaviour.boot)
            case "/run/cloud-init/status.json": return status(behaviour.boot)
            default: return files.withLock { $0[machine]?[path] }
            }
        }
    }

    /// In parts, as agents do.
    public func read(
        _ path: String,
        in machine: MachineID,
        take: @Sendable ([UInt8]) throws -> Void
    ) async throws -> Bool {
        guard let bytes = try await read(path, in: machine, limit: 64 << 20) else { return false }
        for start in stride(from: 0, to: max(1, bytes.count), by: 64 << 10) {
            try take(Array(bytes.dropFirst(start).prefix(64 << 10)))
        }
        return true
    }

    /// Keeps the content.
    public func write(_ content: [UInt8], to path: String, in machine: MachineID) async throws {
        try faults.call("write") {
            guard hypervisor.behaviour(machine) != nil else { throw silent(machine) }
            files.withLock { $0[machine, default: [:]][path] = content }
        }
    }

    /// The machines whose file systems are frozen.
    public var frozenMachines: Set<MachineID> { frozen.withLock { $0 } }

    /// Remembers it.
    public func freeze(_ machine: MachineID, within deadline: Duration) async throws {
        try faults.call("freeze") {
            guard let boot = hypervisor.behaviour(machine)?.boot, boot != .silent else { throw silent(machine) }
            frozen.withLock { _ = $0.insert(machine) }
        }
    }

    /// Forgets it.
    public func thaw(_ machine: MachineID, within deadline: Duration) async throws {
        try faults.call("thaw") { frozen.withLock { _ = $0.remove(machine) } }
    }

    private func silent(_ machine: MachineID) -> KilnError {
        KilnError(.guestAgentSilent, "the agent of \(machine) does not answer", exit: .deadline)
    }

    private func result(_ boot: GuestBehaviour.Boot) -> [UInt8] {
        let errors = boot == .cloudInitFails ? #""('runcmd', ProcessExecutionError())""# : ""
        return Array(#"{"v1":{"datasource":"DataSourceNoCloud","errors":[\#(errors)]}}"#.utf8)
    }

    private func status(_ boot: GuestBehaviour.Boot) -> [UInt8] {
        let warnings = boot == .degraded ? #""WARNING":["a warning"]"# : ""
        return Array(#"{"v1":{"stage":null,"init":{"errors":[],"recoverable_errors":{\#(warnings)}}}}"#.utf8)
    }
}
