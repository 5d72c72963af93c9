import Foundation
import KilnModel
import Synchronization

/// Where a command writes; a value, so that tests can read what was written.
struct ByteSink: Sendable {
    /// What became of what was written so far.
    enum State: Sendable, Equatable {
        /// It was taken.
        case open
        /// Whoever read went away, as in `kiln ps | head`: the rest is dropped, which is no error.
        case unread
        /// It could not be written, by the number of the error; the rest is dropped.
        case failed(Int32)
    }

    /// Writes all bytes.
    let write: @Sendable ([UInt8]) -> Void
    /// What became of what was written so far.
    var state: @Sendable () -> State = { .open }
    /// The descriptor, where it is one.
    var descriptor: Int32?

    /// Writes text.
    func text(_ text: String) { write(Array(text.utf8)) }

    /// Writes lines.
    func lines(_ lines: [String]) { text(lines.map { $0 + "\n" }.joined()) }

    /// Sees to it that all was written, or to nobody who reads.
    ///
    /// - Throws: `KilnError` with code `output.not-written`.
    func check() throws {
        guard case .failed(let number) = state() else { return }
        throw KilnError(
            .outputNotWritten,
            "the output can't be written: it ends too early",
            hint: "see where it goes, and whether there is space; the command itself is not undone",
            cause: String(cString: strerror(number)),
            exit: .usage
        )
    }

    /// A descriptor of this process.
    ///
    /// One that others made non-blocking is waited for. What can't be written is dropped, and told by ``state``.
    static func descriptor(_ descriptor: Int32) -> ByteSink {
        let kept = Kept()
        return ByteSink(
            write: { bytes in kept.state.withLock { if $0 == .open { $0 = written(bytes, to: descriptor) } } },
            state: { kept.state.withLock { $0 } },
            descriptor: descriptor
        )
    }

    private final class Kept: Sendable {
        let state = Mutex(State.open)
    }

    private static func written(_ bytes: [UInt8], to descriptor: Int32) -> State {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
                continue
            }
            switch count == 0 ? EIO : errno {
            case EINTR: continue
            case EAGAIN:
                var polled = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&polled, 1, -1)
            case EPIPE: return .unread
            case let number: return .failed(number)
            }
        }
        return .open
    }
}
