import KilnEngine
import KilnModel
import KilnSystem
import LibvirtKit
import LibvirtXML

/// Guests through their agent.
public struct AgentGuests: GuestAccess {
    private let session: HypervisorSession

    /// Guests of the machines of a session.
    public init(session: HypervisorSession) {
        self.session = session
    }

    /// Waits until the agent answers.
    ///
    /// - Throws: `guest.agent-silent` or `guest.no-agent` at the deadline, `guest.machine-off` as soon as the machine is off.
    public func awaitAgent(_ machine: MachineID, within deadline: Duration) async throws {
        let end = ContinuousClock.now + deadline
        while true {
            // Who is cancelled waits for no news, and would ask on and on.
            try Task.checkCancellation()
            // Subscribe first, then ask: so no opening of the channel is missed.
            let news = try await session.read(subject(machine)) { try await $0.events() }
            do {
                return try await asked(machine) { try await $0.ping() }
            } catch let error as KilnError where [.guestAgentSilent, .guestNoAgent].contains(error.code) {
                guard ContinuousClock.now < end else { throw error }
            }
            // An agent that hangs has its channel open and tells of no change, so it is asked again from time to time.
            await news.first(of: machine.domainName, until: min(end, .now + .seconds(3))) { kind in
                switch kind {
                case .agentConnected, .stopped: true
                default: false
                }
            }
        }
    }

    /// Waits for the agent, the one way that is known here.
    public func awaitWay(into machine: MachineID, within deadline: Duration) async throws -> GuestWay {
        try await awaitAgent(machine, within: deadline)
        return .agent
    }

    /// The most that one message to an agent takes as a command's input.
    private static let largestMessage = 256 << 10

    /// Runs a command; see `GuestCommand`.
    ///
    /// - Throws: `guest.command-deadline`, `guest.refused` where the program can't be started, `guest.result-lost` where it was
    ///   and the agent could not say what came of it, `guest.forbidden` where the guest lets its agent start none,
    ///   `guest.agent-silent`, `guest.no-agent`, `guest.machine-off`.
    public func run(_ command: GuestCommand, in machine: MachineID) async throws -> GuestCommandResult {
        let program = try program(of: command, machine)
        let result: GuestExecResult
        do {
            result = try await asked(machine) { try await Self.result(of: command, by: $0, in: machine) }
        } catch let error as KilnError where error.code == .guestRefused {
            throw GuestFailure.notStarted(program, machine, cause: error.cause)
        }
        return GuestCommandResult(
            status: result.status,
            output: result.stdout,
            errors: result.stderr,
            isCut: result.truncated
        )
    }

    static func result(
        of command: GuestCommand,
        by agent: GuestAgent,
        in machine: MachineID
    ) async throws -> GuestExecResult {
        let program = command.arguments.first ?? ""
        do {
            return try await agent.run(
                program,
                Array(command.arguments.dropFirst()),
                input: command.input,
                deadline: command.deadline
            )
        } catch GuestAgentError.refused("guest-exec-status", let reason) {
            // It was started: nobody may take it for a program that the guest lacks.
            throw GuestFailure.resultLost(program, machine, reason)
        }
    }

    /// Runs a command that may read and write as much as it likes.
    ///
    /// Where the guest has no shell, or no place for files, it is as ``run(_:in:)``: all is read before, and written afterwards.
    ///
    /// - Throws: as ``run(_:in:)``; what `dialogue` throws.
    public func converse(
        _ command: GuestCommand,
        _ dialogue: GuestDialogue,
        in machine: MachineID
    ) async throws -> GuestEnding {
        _ = try program(of: command, machine)
        let ending = try await asked(machine) { try await AgentDialogue($0, machine, command, dialogue).run() }
        if let ending { return ending }
        return try await atOnce(command, dialogue, in: machine, largestInput: Self.largestMessage)
    }

    private func program(of command: GuestCommand, _ machine: MachineID) throws -> String {
        guard let program = command.arguments.first else {
            throw KilnError(.guestNoCommand, "there is no command to be run in machine \(machine)", exit: .usage)
        }
        return program
    }

    /// Reads a file; nothing where there is none.
    ///
    /// - Throws: `guest.too-large`, `guest.refused`, `guest.agent-silent`, `guest.machine-off`.
    public func read(_ path: String, in machine: MachineID, limit: Int) async throws -> [UInt8]? {
        do {
            return try await asked(machine) { try await $0.readFile(path, limit: limit) }
        } catch let error as KilnError where error.code == .guestTooLarge {
            throw GuestFailure.tooLarge(path, machine, limit)
        } catch let error as KilnError where error.code == .guestRefused {
            guard try await isMissing(path, machine) else { throw GuestFailure.noFile("read", path, machine, error) }
            return nil
        }
    }

    /// Hands on the content of a file of any size; whether there is one.
    ///
    /// - Throws: `guest.refused`, `guest.agent-silent`, `guest.machine-off`; what `take` throws.
    public func read(
        _ path: String,
        in machine: MachineID,
        take: @Sendable ([UInt8]) throws -> Void
    ) async throws -> Bool {
        do {
            try await asked(machine) { try await $0.readFile(path, take: take) }
            return true
        } catch let error as KilnError where error.code == .guestRefused {
            guard try await isMissing(path, machine) else { throw GuestFailure.noFile("read", path, machine, error) }
            return false
        }
    }

    // The agent says only in words why a file can't be opened.
    private func isMissing(_ path: String, _ machine: MachineID) async throws -> Bool {
        try await run(GuestCommand(["test", "-e", path], deadline: .seconds(10)), in: machine).status == 1
    }

    /// Writes a file, replacing its content.
    ///
    /// - Throws: `guest.refused`, `guest.agent-silent`, `guest.machine-off`.
    public func write(_ content: [UInt8], to path: String, in machine: MachineID) async throws {
        do {
            try await asked(machine) { try await $0.writeFile(path, content) }
        } catch let error as KilnError where error.code == .guestRefused {
            throw GuestFailure.noFile("write", path, machine, error)
        }
    }

    /// Flushes and freezes the guest's file systems.
    ///
    /// - Throws: `guest.refused`, `guest.agent-silent`, `guest.machine-off`.
    public func freeze(_ machine: MachineID, within deadline: Duration) async throws {
        try await asked(machine) { try await $0.freeze(deadline: deadline) }
    }

    /// Lets the guest's file systems go on.
    ///
    /// - Throws: `guest.refused`, `guest.agent-silent`, `guest.machine-off`.
    public func thaw(_ machine: MachineID, within deadline: Duration) async throws {
        try await asked(machine) { try await $0.thaw(deadline: deadline) }
    }

    private func asked<Answer: Sendable>(
        _ machine: MachineID,
        _ question: @Sendable (GuestAgent) async throws -> Answer
    ) async throws -> Answer {
        try await session.change(subject(machine)) { connection in
            let agent = GuestAgent(of: machine.domainName, on: connection, timeout: .seconds(5))
            do {
                return try await question(agent)
            } catch let error as LibvirtError {
                guard await !connection.isLost else { throw error }
                let isOn = try await connection.domain(named: machine.domainName)?.isActive == true
                guard isOn else { throw GuestFailure.machineOff(machine, error) }
                let channel = try await LibvirtMachines.document(of: machine.domainName, .live, on: connection)?.agent
                throw channel?.isConnected == false
                    ? GuestFailure.absent(machine, error) : GuestFailure.silent(machine, error)
            } catch let GuestAgentError.refused(command, reason) {
                let isForGood = try? await agent.forbids(command)
                throw GuestFailure.refused(machine, command, reason, isForGood: isForGood ?? false)
            } catch {
                throw GuestFailure.translated(error, machine: machine)
            }
        }
    }

    private func subject(_ machine: MachineID) -> String { "machine \(machine)" }
}
