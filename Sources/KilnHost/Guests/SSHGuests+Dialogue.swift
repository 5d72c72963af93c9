import Foundation
import Glibc
import KilnEngine
import KilnModel
import KilnSystem

extension SSHGuests {
    /// Runs a command that may read and write as much as it likes; of its errors the last 256 KiB come at its end.
    ///
    /// - Throws: as ``run(_:in:)``; what `dialogue` throws.
    public func converse(
        _ command: GuestCommand,
        _ dialogue: GuestDialogue,
        in machine: MachineID
    ) async throws -> GuestEnding {
        let (status, errors) = try await streamed(command, dialogue.input, in: machine) {
            try dialogue.take(.output, $0)
        }
        try dialogue.take(.errors, errors)
        // With what the shell in the guest writes behind them they fill what is kept.
        return GuestEnding(status: status, isCut: errors.count > Command.keptBytes - 256)
    }

    func streamed(
        _ command: GuestCommand,
        _ input: (@Sendable () async throws -> [UInt8])?,
        in machine: MachineID,
        _ take: @Sendable ([UInt8]) throws -> Void
    ) async throws -> (status: Int32, errors: [UInt8]) {
        guard let program = command.arguments.first else {
            throw KilnError(.guestNoCommand, "there is no command to be run in machine \(machine)", exit: .usage)
        }
        let connection = try await connection(to: machine)
        let remote = RemoteCommand(command.arguments, isRoot: connection.isRoot)
        let ssh = connection.command(remote.line, deadline: command.deadline)
        let (down, up) = (try SocketPair(), try SocketPair())
        let errors: [UInt8]
        do {
            errors = try await withThrowingTaskGroup(of: [UInt8]?.self) { group in
                defer {
                    group.cancelAll()
                    down.end()
                    up.end()
                }
                group.addTask {
                    // Its end is the end of both: ssh may leave a process behind that holds them.
                    defer {
                        down.endTheirs()
                        up.endTheirs()
                    }
                    return try await ssh.result(reading: up.theirs, writing: down.theirs).errors
                }
                group.addTask {
                    do {
                        try await up.feed(input)
                        return nil
                    } catch {
                        // Whoever waits for output below would wait for a command that waits for its input.
                        down.end()
                        throw error
                    }
                }
                // Here, and not in a task of the group: what takes the bytes need not outlive this call.
                while let bytes = try await down.next() { try take(bytes) }
                while let ended = try await group.next() {
                    if let ended { return ended }
                }
                throw CancellationError()
            }
        } catch let error as KilnError where error.code == .toolDeadline {
            throw GuestFailure.stillRunning(machine, command.deadline)
        }
        switch remote.end(errors) {
        case .ended(let status, let errors)?: return (status, errors)
        case .absent?: throw GuestFailure.notStarted(program, machine, cause: "the guest has no such program")
        case nil:
            await logins.forget(machine)
            throw SSHFailure.lost(machine, hasExpectedKey: try await connection.hasExpectedKey(), errors)
        }
    }
}

/// Two connected sockets: one for a program, one for this process.
///
/// Unlike a pipe's, an end that nobody reads sends no signal.
private final class SocketPair: Sendable {
    /// This process's.
    private let ours: Int32
    /// The program's.
    let theirs: Int32

    init() throws {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue) | SocketFlags.closeOnExec
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw DurableFile.failure("socketpair", "a socket") }
        (ours, theirs) = (ends[0], ends[1])
    }

    deinit {
        close(ours)
        close(theirs)
    }

    /// Ends every read and write of either side.
    func end() { shutdown(ours, Int32(SHUT_RDWR)) }

    /// Lets this side read what is there, and then its end.
    func endTheirs() { shutdown(theirs, Int32(SHUT_RDWR)) }

    /// The next bytes from the other side; nothing at its end.
    func next() async throws -> [UInt8]? {
        let bytes = await BlockingWork.run { [self] in
            var buffer = [UInt8](repeating: 0, count: 64 << 10)
            while true {
                let count = recv(ours, &buffer, buffer.count, 0)
                if count < 0 && errno == EINTR { continue }
                return Array(buffer.prefix(max(0, count)))
            }
        }
        try Task.checkCancellation()
        return bytes.isEmpty ? nil : bytes
    }

    /// Writes all input, and ends it.
    ///
    /// That nobody reads it any more is no error: a command need not.
    func feed(_ input: (@Sendable () async throws -> [UInt8])?) async throws {
        while let bytes = try await input?(), !bytes.isEmpty {
            let isRead = await BlockingWork.run { [self] in send(bytes) }
            guard isRead else { break }
        }
        shutdown(ours, Int32(SHUT_WR))
    }

    private func send(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(ours, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }
}
