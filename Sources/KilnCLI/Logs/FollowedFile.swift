import Foundation
import Glibc
import KilnModel

/// A file that is read to its end, and then further whenever it grows.
struct FollowedFile {
    let path: String

    /// Gives all content, in pieces, to `take`.
    ///
    /// - Parameters:
    ///   - wakeup: nothing reads what is there and returns; else it returns when woken.
    ///   - output: where `take` writes; it also returns when nobody reads that any more. A reader may be slow, so call it on
    ///     a thread of its own (``Wakeup/run(_:)``), which also lets it end once that is woken.
    /// - Throws: `KilnError` with code `logs.missing`.
    func read(until wakeup: Wakeup?, for output: ByteSink? = nil, take: (ArraySlice<UInt8>) -> Void) throws {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else { throw missing }
        defer { close(file) }
        guard let wakeup else { return drain(file, output, take) }
        // Watched before it is read, so that nothing written in between is missed.
        let watch = inotify_init1(Int32(IN_CLOEXEC) | Int32(IN_NONBLOCK))
        guard watch >= 0, inotify_add_watch(watch, path, UInt32(IN_MODIFY)) >= 0 else { throw missing }
        defer { close(watch) }
        repeat {
            discard(watch)
            drain(file, output, take)
        } while output?.state() ?? .open == .open && wakeup.readable([watch], while: output?.descriptor) != nil
    }

    // To its end, unless nobody wants it any more: a log may be long, and its reader slow.
    private func drain(_ file: Int32, _ output: ByteSink?, _ take: (ArraySlice<UInt8>) -> Void) {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while !Wakeup.isWoken, output?.state() ?? .open == .open {
            let count = Glibc.read(file, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            if count <= 0 { return }
            take(buffer[..<count])
        }
    }

    private func discard(_ watch: Int32) {
        var events = [UInt8](repeating: 0, count: 4096)
        while Glibc.read(watch, &events, events.count) > 0 {}
    }

    private var missing: KilnError {
        KilnError(
            .logsMissing,
            "there is no log at \(path)",
            hint: "the machine has not been started yet, or its log was removed with it",
            cause: String(cString: strerror(errno)),
            exit: .usage
        )
    }
}
