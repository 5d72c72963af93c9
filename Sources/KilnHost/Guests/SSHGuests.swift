import KilnEngine
import KilnModel
import KilnSystem

/// Guests through their SSH server: as root, with Kiln's key, and only where the server has the host key of its machine.
public struct SSHGuests: GuestAccess {
    private let route: @Sendable (MachineID) throws -> GuestRoute?
    let logins = SSHLogins()
    private let held = HeldGuests()

    /// The most that is taken from what a command prints.
    static let largestOutput = 16 << 20

    /// Guests that are reached by what `route` says.
    public init(route: @escaping @Sendable (MachineID) throws -> GuestRoute?) {
        self.route = route
    }

    /// There is none.
    public func awaitAgent(_ machine: MachineID, within deadline: Duration) async throws { throw noRoute(machine) }

    /// Waits until Kiln is let in.
    ///
    /// - Throws: `guest.ssh-silent` at the deadline, `guest.ssh-refused`, `guest.host-key-differs`.
    public func awaitWay(into machine: MachineID, within deadline: Duration) async throws -> GuestWay {
        let end = ContinuousClock.now + deadline
        while true {
            if try await greets(machine), try await letsIn(machine, until: end) { return .ssh }
            guard ContinuousClock.now < end else { throw SSHFailure.silent(machine) }
            // Nothing tells when a server begins to listen behind QEMU's forward, which is there all the time.
            try await Task.sleep(for: .seconds(1))
        }
    }

    // Who waits shortly must not wait for a login of minutes, which goes on for those who come after.
    private func letsIn(_ machine: MachineID, until end: ContinuousClock.Instant) async throws -> Bool {
        do {
            return try await withPatience(max(.seconds(30), end - .now), operation: "log in") {
                try await run(GuestCommand(["true"], deadline: .seconds(30)), in: machine).status == 0
            }
        } catch is DeadlineExceeded {
            return false
        }
    }

    /// Runs a command; see `GuestCommand`.
    ///
    /// - Throws: `guest.command-deadline`, `guest.refused` where the guest has no such program, `guest.too-large`,
    ///   `guest.ssh-silent`, `guest.ssh-refused`, `guest.host-key-differs`.
    public func run(_ command: GuestCommand, in machine: MachineID) async throws -> GuestCommandResult {
        try await run(command, in: machine, limit: Self.largestOutput)
    }

    /// Reads a file; nothing where there is none.
    ///
    /// - Throws: `guest.too-large`, `guest.refused`, and as ``run(_:in:)``.
    public func read(_ path: String, in machine: MachineID, limit: Int) async throws -> [UInt8]? {
        let script = #"""
            [ -e "$1" ] || [ -L "$1" ] || exit 66
            exec head -c "$2" <"$1"
            """#
        let words = ["/bin/sh", "-c", script, "kiln", path, String(limit + 1)]
        let result = try await run(GuestCommand(words), in: machine, limit: limit, file: path)
        switch result.status {
        case 0: return result.output
        case 66: return nil
        default: throw GuestFailure.noFile("read", path, machine, cause: Printable.text(result.errors))
        }
    }

    /// Hands on the content of a file of any size; whether there is one.
    ///
    /// - Throws: `guest.refused`, and as ``run(_:in:)``; what `take` throws.
    public func read(
        _ path: String,
        in machine: MachineID,
        take: @Sendable ([UInt8]) throws -> Void
    ) async throws -> Bool {
        let script = #"""
            [ -e "$1" ] || [ -L "$1" ] || exit 66
            exec cat <"$1"
            """#
        let command = GuestCommand(["/bin/sh", "-c", script, "kiln", path], deadline: .seconds(3600))
        let (status, said) = try await streamed(command, nil, in: machine, take)
        switch status {
        case 0: return true
        case 66: return false
        default: throw GuestFailure.noFile("read", path, machine, cause: Printable.text(said))
        }
    }

    /// Writes a file, replacing its content.
    ///
    /// - Throws: `guest.refused`, and as ``run(_:in:)``.
    public func write(_ content: [UInt8], to path: String, in machine: MachineID) async throws {
        let words = ["/bin/sh", "-c", #"exec cat >"$1""#, "kiln", path]
        let result = try await run(GuestCommand(words, input: content), in: machine)
        guard result.status == 0 else {
            throw GuestFailure.noFile("write", path, machine, cause: Printable.text(result.errors))
        }
    }

    /// Flushes and freezes the guest's file systems, for as long as this process lives, and two minutes at most.
    ///
    /// - Throws: `guest.refused`, and as ``run(_:in:)``.
    public func freeze(_ machine: MachineID, within deadline: Duration) async throws {
        try await held.freeze(machine, try await connection(to: machine), within: deadline)
    }

    /// Lets the guest's file systems go on.
    ///
    /// - Throws: `guest.refused`, and as ``run(_:in:)``.
    public func thaw(_ machine: MachineID, within deadline: Duration) async throws {
        if try await held.thaw(machine, within: deadline) { return }
        // What a process held that is gone goes on by itself; to ask harms nobody.
        let words = ["/bin/sh", "-c", HeldGuests.thawScript]
        _ = try await run(GuestCommand(words, deadline: deadline), in: machine)
    }

    private func run(
        _ command: GuestCommand,
        in machine: MachineID,
        limit: Int,
        file: String? = nil
    ) async throws -> GuestCommandResult {
        guard let program = command.arguments.first else {
            throw KilnError(.guestNoCommand, "there is no command to be run in machine \(machine)", exit: .usage)
        }
        let connection = try await connection(to: machine)
        let remote = RemoteCommand(command.arguments, isRoot: connection.isRoot)
        let output = try await output(
            connection.command(remote.line, deadline: command.deadline),
            command,
            limit,
            machine
        )
        switch remote.end(output.errors) {
        case .ended(let status, let errors)?:
            guard output.output.count <= limit else { throw GuestFailure.tooLarge(file, machine, limit) }
            return GuestCommandResult(status: status, output: output.output, errors: errors)
        case .absent?: throw GuestFailure.notStarted(program, machine, cause: "the guest has no such program")
        case nil:
            await logins.forget(machine)
            throw SSHFailure.lost(machine, hasExpectedKey: try await connection.hasExpectedKey(), output.errors)
        }
    }

    private func output(
        _ ssh: Command,
        _ command: GuestCommand,
        _ limit: Int,
        _ machine: MachineID
    ) async throws -> Command.Output {
        do {
            let input = try UnlinkedFile(command.input)
            let output = try await ssh.result(reading: input.descriptor, keeping: limit + 1)
            // The file lives until here.
            _ = input.descriptor
            return output
        } catch let error as KilnError where error.code == .toolDeadline {
            throw GuestFailure.stillRunning(machine, command.deadline)
        }
    }

    func connection(to machine: MachineID) async throws -> SSHConnection {
        guard let route = try route(machine) else { throw noRoute(machine) }
        return try await logins.connection(to: machine, by: route)
    }

    // Before a login, which costs the guest more: a forward accepts connections that lead nowhere.
    private func greets(_ machine: MachineID) async throws -> Bool {
        guard let route = try route(machine) else { throw noRoute(machine) }
        let answer = await LoopbackConnection.answer(to: [], on: route.port, within: .seconds(5), atMost: 255) {
            $0.contains(UInt8(ascii: "\n"))
        }
        return (try? answer.get())?.starts(with: Array("SSH-".utf8)) ?? false
    }

    private func noRoute(_ machine: MachineID) -> KilnError {
        KilnError(
            .guestNoAgent,
            "no agent runs in the guest of machine \(machine), and its image is not said to have an SSH server",
            hint: "its image needs one of the two: 'kiln image show'",
            exit: .deadline
        )
    }
}
