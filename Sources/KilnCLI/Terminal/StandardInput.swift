import Foundation
import KilnModel
import KilnSystem

/// This process's standard input.
enum StandardInput {
    /// All of it; nothing where it is closed.
    ///
    /// Cancelling and the deadline reach it also while nobody writes: then the thread that reads is left behind.
    ///
    /// - Throws: `KilnError` with code `input.too-large` or `deadline`; `CancellationError`.
    static func read(
        from descriptor: Int32 = STDIN_FILENO,
        atMost limit: Int,
        within time: Duration
    ) async throws -> [UInt8] {
        do {
            return try await withPatience(time, operation: "reading standard input") {
                try await BlockingWork.run { try all(descriptor, atMost: limit) }
            }
        } catch is DeadlineExceeded {
            throw KilnError(
                .deadline,
                "standard input did not come to its end within \(time)",
                hint:
                    "close it, or leave it out where nothing is to be read; 'kiln exec' has --timeout for how long it may take",
                exit: .deadline
            )
        }
    }

    /// Waits for the end of a line, or of all input; what it holds is dropped.
    ///
    /// - Throws: `DeadlineExceeded`; `CancellationError`.
    static func line(from descriptor: Int32 = STDIN_FILENO, within time: Duration) async throws {
        try await withPatience(time, operation: "waiting for Enter") {
            await BlockingWork.run {
                var byte: UInt8 = 0
                repeat {
                    let count = Foundation.read(descriptor, &byte, 1)
                    if count < 0 && errno == EINTR { continue }
                    if count <= 0 { return }
                } while byte != UInt8(ascii: "\n")
            }
        }
    }

    private static func all(_ descriptor: Int32, atMost limit: Int) throws -> [UInt8] {
        guard fcntl(descriptor, F_GETFD) >= 0 else { return [] }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: false)
        var data = Data()
        // One read brings what is there, which of a pipe may be less than was asked for.
        while data.count <= limit, let more = try file.read(upToCount: limit + 1 - data.count), !more.isEmpty {
            data += more
        }
        guard data.count <= limit else {
            throw KilnError(
                .inputTooLarge,
                "standard input holds more than \(ByteCount(bytes: UInt64(limit)))",
                hint:
                    "'kiln exec' takes 16 MiB and 'kiln cp' 64 MiB; what is larger goes onto a volume: 'kiln volume import'",
                exit: .usage
            )
        }
        return Array(data)
    }
}
