import KilnEngine
import KilnModel
import Synchronization

/// Guests by whichever way they let commands in: the agent where it has connected, else SSH once no agent will come.
///
/// What was found is kept for a machine; the engine writes it down with its generation.
public struct GuestWays: GuestAccess {
    private let agents: any GuestAccess
    private let ssh: any GuestAccess
    private let entrance: @Sendable (MachineID) throws -> GuestEntrance
    private let found = Found()

    private final class Found: Sendable {
        // A machine's name comes again, as that of a rehearsal does; its route then is another.
        let ways = Mutex<[MachineID: (route: GuestRoute?, way: GuestWay)]>([:])
    }

    /// Guests by an agent or by SSH, where `entrance` says what is known of a machine.
    public init(
        agents: any GuestAccess,
        ssh: any GuestAccess,
        entrance: @escaping @Sendable (MachineID) throws -> GuestEntrance
    ) {
        self.agents = agents
        self.ssh = ssh
        self.entrance = entrance
    }

    /// Waits until the agent itself answers.
    public func awaitAgent(_ machine: MachineID, within deadline: Duration) async throws {
        try await agents.awaitAgent(machine, within: deadline)
    }

    /// Waits until commands get in, and says by which way.
    public func awaitWay(into machine: MachineID, within deadline: Duration) async throws -> GuestWay {
        let end = ContinuousClock.now + deadline
        while true {
            try Task.checkCancellation()
            do {
                return try await answering(machine, until: end)
            } catch let error as KilnError where Self.passing.contains(error.code) {
                guard ContinuousClock.now < end else { throw error }
            }
            // An agent that connects is told; a console that ends is no event.
            do {
                try await agents.awaitAgent(machine, within: max(.zero, min(.seconds(2), end - .now)))
                return keep(.agent, machine, try entrance(machine))
            } catch let error as KilnError where Self.passing.contains(error.code) {
                continue
            }
        }
    }

    private static let passing: [ErrorCode] = [.guestNoAgent, .guestAgentSilent, .guestSSHSilent]

    private func answering(_ machine: MachineID, until end: ContinuousClock.Instant) async throws -> GuestWay {
        let way = try await way(into: machine)
        let left = max(.zero, end - .now)
        switch way {
        case .ssh: return try await ssh.awaitWay(into: machine, within: left)
        case .agent, .closed: try await agents.awaitAgent(machine, within: left)
        }
        return way
    }

    /// Runs a command; see `GuestCommand`.
    public func run(_ command: GuestCommand, in machine: MachineID) async throws -> GuestCommandResult {
        try await reaching(machine) { try await $0.run(command, in: machine) }
    }

    /// Runs a command and takes what it writes while it runs.
    public func converse(
        _ command: GuestCommand,
        _ dialogue: GuestDialogue,
        in machine: MachineID
    ) async throws -> GuestEnding {
        try await reaching(machine) { try await $0.converse(command, dialogue, in: machine) }
    }

    /// Reads a file; nothing where there is none.
    public func read(_ path: String, in machine: MachineID, limit: Int) async throws -> [UInt8]? {
        try await reaching(machine) { try await $0.read(path, in: machine, limit: limit) }
    }

    /// Hands on the content of a file; whether there is one.
    public func read(
        _ path: String,
        in machine: MachineID,
        take: @Sendable ([UInt8]) throws -> Void
    ) async throws -> Bool {
        try await reaching(machine) { try await $0.read(path, in: machine, take: take) }
    }

    /// Writes a file, replacing its content.
    public func write(_ content: [UInt8], to path: String, in machine: MachineID) async throws {
        try await reaching(machine) { try await $0.write(content, to: path, in: machine) }
    }

    /// Flushes and freezes the guest's file systems.
    public func freeze(_ machine: MachineID, within deadline: Duration) async throws {
        try await reaching(machine) { try await $0.freeze(machine, within: deadline) }
    }

    /// Lets the guest's file systems go on.
    public func thaw(_ machine: MachineID, within deadline: Duration) async throws {
        try await reaching(machine) { try await $0.thaw(machine, within: deadline) }
    }

    private func reaching<Answer: Sendable>(
        _ machine: MachineID,
        _ body: (any GuestAccess) async throws -> Answer
    ) async throws -> Answer {
        guard try await way(into: machine) == .ssh else { return try await body(agents) }
        do {
            return try await body(ssh)
        } catch let error as KilnError where error.code == .guestSSHSilent {
            // A machine that is off has a silent server, too; who asks for its agent is told.
            do {
                try await agents.awaitAgent(machine, within: .zero)
            } catch let off as KilnError where off.code == .guestMachineOff {
                throw off
            } catch {}
            throw error
        }
    }

    // Found out before anything is done, so that nothing is done twice.
    private func way(into machine: MachineID) async throws -> GuestWay {
        let entrance = try entrance(machine)
        if let known = found.ways.withLock({ $0[machine] }), known.route == entrance.route { return known.way }
        if let way = entrance.found, way != .closed { return keep(way, machine, entrance) }
        do {
            try await agents.awaitAgent(machine, within: .zero)
            return keep(.agent, machine, entrance)
        } catch let error as KilnError where error.code == .guestNoAgent {
            guard entrance.route != nil, entrance.mayUseSSH else { throw error }
            return try await viaSSH(machine, entrance, error)
        }
    }

    private func viaSSH(_ machine: MachineID, _ entrance: GuestEntrance, _ absent: KilnError) async throws -> GuestWay {
        do {
            return keep(try await ssh.awaitWay(into: machine, within: .zero), machine, entrance)
        } catch let error as KilnError where error.code == .guestHostKeyDiffers && entrance.isSetUp {
            throw error
        } catch let error as KilnError where Self.keepingOut.contains(error.code) {
            throw GuestFailure.noWay(machine, absent, error)
        }
    }

    // A guest that is being set up may have another host key, or nobody's keys, for a while.
    private static let keepingOut: [ErrorCode] = [.guestSSHSilent, .guestSSHRefused, .guestHostKeyDiffers]

    private func keep(_ way: GuestWay, _ machine: MachineID, _ entrance: GuestEntrance) -> GuestWay {
        found.ways.withLock { $0[machine] = (entrance.route, way) }
        return way
    }
}
