import KilnModel
import KilnSystem

extension LabEngine {
    /// Runs a command in a server's guest; a non-zero exit status is a result, not an error.
    ///
    /// - Parameter now: whether not to wait until the guest that boots has mounted its volumes.
    public func run(_ command: GuestCommand, on id: ServerID, now: Bool = false) async throws -> GuestCommandResult {
        try await parts.guests.run(command, in: try await mounted(id, now: now))
    }

    /// The content of a file in a server's guest, or nothing where there is none.
    ///
    /// - Parameters:
    ///   - limit: the most bytes to read; a longer file is an error.
    ///   - now: whether not to wait until the guest that boots has mounted its volumes.
    public func read(
        _ path: String,
        on id: ServerID,
        limit: Int = 64 << 20,
        now: Bool = false
    ) async throws -> [UInt8]? {
        try await parts.guests.read(path, in: try await mounted(id, now: now), limit: limit)
    }

    /// Writes a file in a server's guest.
    ///
    /// - Parameter now: whether not to wait until the guest that boots has mounted its volumes.
    public func write(_ content: [UInt8], to path: String, on id: ServerID, now: Bool = false) async throws {
        try await parts.guests.write(content, to: path, in: try await mounted(id, now: now))
    }

    private func mounted(_ id: ServerID, now: Bool) async throws -> MachineID {
        let machine = try machine(id)
        if !now { try await existing(id).awaitMounts(of: machine) }
        return machine
    }

    /// Waits until a server is ready.
    ///
    /// - Throws: `ready.timeout`, `ready.failed` or `ready.machine-died`.
    public func awaitReady(_ id: ServerID) async throws { try await existing(id).awaitReady(try machine(id)) }

    /// Restarts a server's guest: the same generation, the same machine, without its seed.
    public func reboot(_ id: ServerID) async throws {
        let machine = try machine(id)
        try existing(id).forgetMounts(of: machine)
        try await parts.machines.reboot(machine)
    }
}

extension LabEngine {
    /// Copies console log, definition, journal and record of a server's machine to a new directory, which is returned.
    public func keepEvidence(_ id: ServerID) async throws -> String {
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

    /// Removes a file that ``makeScratchFile(_:)`` made room for; one that isn't there is no error.
    public func removeScratchFile(_ name: String) throws { try DurableFile.remove(state.root + "/scratch/\(name)") }
}
