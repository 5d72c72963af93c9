import KilnModel
import Synchronization

/// What a command in a guest reads, and what it says, while it runs.
public struct GuestDialogue: Sendable {
    /// Where a command writes.
    public enum Stream: Sendable, Hashable {
        /// Its standard output.
        case output
        /// Its standard error.
        case errors
    }

    /// The next part of what the command reads, nothing at its end; without it the command reads nothing.
    public let input: (@Sendable () async throws -> [UInt8])?
    /// Takes the next part of what it writes, hostile bytes; where it throws, the dialogue ends with that.
    public let take: @Sendable (Stream, [UInt8]) throws -> Void

    /// A dialogue from its parts.
    public init(
        input: (@Sendable () async throws -> [UInt8])? = nil,
        take: @escaping @Sendable (Stream, [UInt8]) throws -> Void
    ) {
        self.input = input
        self.take = take
    }
}

/// How a command ended of which all that it wrote has been taken.
public struct GuestEnding: Sendable, Hashable {
    /// The exit status, or 128 plus the signal that ended it.
    public let status: Int32
    /// Whether some of what it wrote got lost on its way.
    public let isCut: Bool

    /// An ending from its parts.
    public init(status: Int32, isCut: Bool = false) {
        self.status = status
        self.isCut = isCut
    }
}

extension GuestAccess {
    /// Reads all input, runs the command, and then hands on what it wrote.
    public func converse(
        _ command: GuestCommand,
        _ dialogue: GuestDialogue,
        in machine: MachineID
    ) async throws -> GuestEnding {
        try await atOnce(command, dialogue, in: machine, largestInput: 16 << 20)
    }

    /// Reads all input, runs the command, and then hands on what it wrote: for guests with which nothing better can be done.
    ///
    /// - Throws: `input.too-large`, and what ``run(_:in:)`` throws.
    public func atOnce(
        _ command: GuestCommand,
        _ dialogue: GuestDialogue,
        in machine: MachineID,
        largestInput: Int
    ) async throws -> GuestEnding {
        var input = command.input
        while let more = try await dialogue.input?(), !more.isEmpty {
            input += more
            guard input.count <= largestInput else {
                throw KilnError(
                    .inputTooLarge,
                    "standard input holds more than \(ByteCount(bytes: UInt64(largestInput))), which is all that a command in "
                        + "machine \(machine) can be given",
                    hint: "copy it there as a file, with 'kiln cp', and let the command read that",
                    exit: .usage
                )
            }
        }
        let result = try await run(
            GuestCommand(command.arguments, input: input, deadline: command.deadline),
            in: machine
        )
        try dialogue.take(.output, result.output)
        try dialogue.take(.errors, result.errors)
        return GuestEnding(status: result.status, isCut: result.isCut)
    }

    /// Reads a file whole, of 64 MiB at most, and hands it on.
    public func read(
        _ path: String,
        in machine: MachineID,
        take: @Sendable ([UInt8]) throws -> Void
    ) async throws -> Bool {
        guard let bytes = try await read(path, in: machine, limit: 64 << 20) else { return false }
        try take(bytes)
        return true
    }

    /// Runs a command, however much it writes, and keeps the first `limit` bytes of each stream.
    public func collect(_ command: GuestCommand, keeping limit: Int, in machine: MachineID) async throws
        -> GuestCommandResult
    {
        let kept = GuestTranscript(limit: limit)
        let ending = try await converse(command, GuestDialogue(take: kept.take), in: machine)
        return kept.result(ending)
    }
}

/// The beginning of what a command writes, in memory.
public final class GuestTranscript: Sendable {
    private struct Kept {
        var (output, errors) = ([UInt8](), [UInt8]())
        var isCut = false
    }

    private let limit: Int
    private let kept = Mutex(Kept())

    /// One that keeps as many bytes of each stream.
    public init(limit: Int) { self.limit = limit }

    /// Takes the next part.
    public func take(_ stream: GuestDialogue.Stream, _ bytes: [UInt8]) {
        kept.withLock { kept in
            let before = stream == .output ? kept.output.count : kept.errors.count
            let part = bytes.prefix(limit - before)
            if part.count < bytes.count { kept.isCut = true }
            if stream == .output { kept.output += part } else { kept.errors += part }
        }
    }

    /// All of it, with how the command ended.
    public func result(_ ending: GuestEnding) -> GuestCommandResult {
        kept.withLock { kept in
            GuestCommandResult(
                status: ending.status,
                output: kept.output,
                errors: kept.errors,
                isCut: kept.isCut || ending.isCut
            )
        }
    }
}
