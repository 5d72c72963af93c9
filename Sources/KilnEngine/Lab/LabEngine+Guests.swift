import KilnModel
import KilnSystem

extension LabEngine {
    /// Runs a command in a server's guest; a non-zero exit status is a result, not an error.
    ///
    /// - Parameter now: whether not to wait until the guest that boots has mounted its volumes.
    public func run(_ command: GuestCommand, on id: MemberID, now: Bool = false) async throws -> GuestCommandResult {
        try await reaching(id, now: now) { try await parts.guests.run(command, in: $0) }
    }

    /// Runs a command that may read and write as much as it likes, and takes what it writes while it runs.
    ///
    /// - Parameter now: whether not to wait until the guest that boots has mounted its volumes.
    public func converse(
        _ command: GuestCommand,
        _ dialogue: GuestDialogue,
        on id: MemberID,
        now: Bool = false
    ) async throws -> GuestEnding {
        try await reaching(id, now: now) { try await parts.guests.converse(command, dialogue, in: $0) }
    }

    /// Runs a command, however much it writes, and keeps the first `limit` bytes of each stream.
    public func collect(_ command: GuestCommand, keeping limit: Int, on id: MemberID) async throws -> GuestCommandResult
    {
        try await reaching(id, now: false) { try await parts.guests.collect(command, keeping: limit, in: $0) }
    }

    /// The content of a file in a server's guest, or nothing where there is none.
    ///
    /// - Parameters:
    ///   - limit: the most bytes to read; a longer file is an error.
    ///   - now: whether not to wait until the guest that boots has mounted its volumes.
    public func read(
        _ path: String,
        on id: MemberID,
        limit: Int = 64 << 20,
        now: Bool = false
    ) async throws -> [UInt8]? {
        try await reaching(id, now: now) { try await parts.guests.read(path, in: $0, limit: limit) }
    }

    /// Hands on the content of a file in a server's guest, of any size and part by part; whether there is one.
    ///
    /// - Parameter now: whether not to wait until the guest that boots has mounted its volumes.
    public func read(
        _ path: String,
        on id: MemberID,
        now: Bool = false,
        take: @Sendable ([UInt8]) throws -> Void
    ) async throws -> Bool {
        try await reaching(id, now: now) { try await parts.guests.read(path, in: $0, take: take) }
    }

    /// Writes a file in a server's guest.
    ///
    /// - Parameter now: whether not to wait until the guest that boots has mounted its volumes.
    public func write(_ content: [UInt8], to path: String, on id: MemberID, now: Bool = false) async throws {
        try await reaching(id, now: now) { try await parts.guests.write(content, to: path, in: $0) }
    }

    /// Does something with the machine that commands reach, once its volumes are mounted; what can be known of a guest without
    /// a way in is told.
    func reaching<Result>(
        _ id: MemberID,
        now: Bool,
        _ body: (MachineID) async throws -> Result
    ) async throws -> Result {
        let (machine, workspace) = (try machine(id), try existing(id))
        do {
            if !now { try await workspace.awaitMounts(of: machine) }
            return try await body(machine)
        } catch let error as KilnError where [.guestNoAgent, .guestSSHSilent, .guestSSHRefused].contains(error.code) {
            guard workspace.hasSettled(machine) else { throw error }
            if await goesOff(machine) { throw wentOff(machine) }
            throw withoutWay(machine, error)
        }
    }

    // A guest that shuts down ends its agent first, and its machine a moment later; one whose agent is only missing never goes off, so
    // there is no event to wait for, but a second at most.
    private func goesOff(_ machine: MachineID) async -> Bool {
        for _ in 0..<20 {
            if let state = try? await parts.machines.state(of: machine), !state.isAlive { return true }
            try? await Task.sleep(for: .milliseconds(50))
        }
        return false
    }

    private func wentOff(_ machine: MachineID) -> KilnError {
        KilnError(
            .guestMachineOff,
            "\(machine) went off while a command was in it, whose end nobody knows",
            hint:
                "'kiln logs \(machine.member)' shows what its guest said; 'kiln start \(machine.member)' starts it again",
            exit: .blocked
        )
    }

    // Whoever has booted and not started one never will.
    private func withoutWay(_ machine: MachineID, _ error: KilnError) -> KilnError {
        KilnError(
            .guestNoAgent,
            "the guest of \(machine) has booted, and commands get in neither by an agent nor by SSH: \(error.message)",
            hint:
                "its image needs the package qemu-guest-agent, or an SSH server that takes the keys that cloud-init brings; "
                + "'kiln console \(machine.member)' needs neither",
            cause: error.cause,
            exit: .aborted
        )
    }

    /// Waits until a server is ready.
    ///
    /// - Throws: `ready.timeout`, `ready.failed` or `ready.machine-died`.
    public func awaitReady(_ id: MemberID) async throws { try await existing(id).awaitReady(try machine(id)) }
}

extension LabEngine {
    /// Copies console log, definition, journal and record of a server's machine to a new directory, which is returned.
    public func keepEvidence(_ id: MemberID) async throws -> String {
        try await existing(id).keepEvidence(try machine(id))
    }

    /// Makes room for a private file of that name in the state directory; an old one is removed.
    ///
    /// Returns its path.
    public func makeScratchFile(_ name: String) throws -> String {
        let directory = state.root + "/scratch"
        try DurableFile.makeDirectory(directory)
        try DurableFile.remove("\(directory)/\(name)")
        return "\(directory)/\(name)"
    }

    /// The path of a file that ``makeScratchFile(_:)`` made room for.
    public func scratchFile(_ name: String) -> String { state.root + "/scratch/\(name)" }

    /// Removes a file that ``makeScratchFile(_:)`` made room for; one that isn't there is no error.
    public func removeScratchFile(_ name: String) throws { try DurableFile.remove(scratchFile(name)) }
}
