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
                hint: "close it, or leave it out where nothing is to be read",
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

    /// One line without its end, of 4096 bytes at most; what there is where the input ends before.
    ///
    /// - Throws: `CancellationError`, as soon as the task is cancelled.
    static func answer(from descriptor: Int32 = STDIN_FILENO) async throws -> String {
        let line = try await Wakeup.run { wakeup in
            var (line, byte) = ([UInt8](), [UInt8(0)])
            while line.count < 4096, wakeup.readable([descriptor]) != nil {
                let count = Foundation.read(descriptor, &byte, 1)
                if count < 0 && [EINTR, EAGAIN].contains(errno) { continue }
                if count <= 0 || byte == [UInt8(ascii: "\n")] { break }
                line += byte
            }
            return String(decoding: line, as: UTF8.self)
        }
        try Task.checkCancellation()
        return line
    }

    /// What has come, as soon as there is anything; nothing at the end of the input.
    ///
    /// - Throws: `KilnError` where it can't be read; `CancellationError`, as soon as the task is cancelled.
    static func next(from descriptor: Int32 = STDIN_FILENO, atMost limit: Int = 512 << 10) async throws -> [UInt8] {
        let bytes = try await Wakeup.run { wakeup in
            var (bytes, buffer) = ([UInt8](), [UInt8](repeating: 0, count: 64 << 10))
            while bytes.count < limit {
                let isThere =
                    bytes.isEmpty
                    ? wakeup.readable([descriptor]) != nil : Descriptor.isReady(descriptor, for: .reading)
                guard isThere else { break }
                let count = Foundation.read(descriptor, &buffer, min(buffer.count, limit - bytes.count))
                if count < 0 && [EINTR, EAGAIN].contains(errno) { continue }
                guard count >= 0 || errno == EBADF else { throw DurableFile.failure("read", "standard input") }
                if count <= 0 { break }
                bytes += buffer[..<count]
            }
            return bytes
        }
        try Task.checkCancellation()
        return bytes
    }

    /// Whether it is a file, such as a here-document, with more in it than was read.
    static func isUnreadFile(_ descriptor: Int32 = STDIN_FILENO) -> Bool {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return false }
        return lseek(descriptor, 0, SEEK_CUR) < status.st_size
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
                    "'kiln exec -i SERVER -- sh -c \"cat >FILE\"' takes any size; so does a volume: 'kiln volume import'",
                exit: .usage
            )
        }
        return Array(data)
    }
}
