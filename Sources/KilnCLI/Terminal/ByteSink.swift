import Foundation
import KilnModel
import KilnSystem
import Synchronization

/// Where a command writes; a value, so that tests can read what was written.
struct ByteSink: Sendable {
    /// What became of what was written so far.
    enum State: Sendable, Equatable {
        /// It was taken.
        case open
        /// Whoever read went away, as in `kiln ps | head`, or read nothing while the command was to end: the rest is dropped,
        /// which is no error.
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

    /// Ends what would write on and on although nobody reads it any more.
    ///
    /// - Throws: `KilnError` with code `output.not-written`; `CancellationError` where nobody reads.
    func requireReader() throws {
        try check()
        if state() == .unread { throw CancellationError() }
    }

    /// A descriptor of this process.
    ///
    /// A task that is cancelled waits for a second at most until somebody reads, also on a thread that ``Wakeup`` gave it.
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
            guard isAwaited(descriptor) else { return .unread }
            // A pipe that is ready takes that many without a wait.
            let count = rest.prefix(4096).withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
                continue
            }
            switch count == 0 ? EIO : errno {
            case EINTR, EAGAIN: continue
            case EPIPE: return .unread
            case let number: return .failed(number)
            }
        }
        return .open
    }

    /// Waits until something can be written, or what is wrong be told; whether that came before the patience of a task
    /// that is cancelled ended.
    private static func isAwaited(_ descriptor: Int32) -> Bool {
        var waits = 0
        while waits < 5 {
            if Descriptor.isReady(descriptor, for: .writing, within: 200) { return true }
            if Task.isCancelled || Wakeup.isWoken { waits += 1 }
        }
        return false
    }
}
