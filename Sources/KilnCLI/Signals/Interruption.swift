import Foundation
import Synchronization

/// SIGINT and SIGTERM: the first asks the command to stop, the second ends the process at once with status 130.
///
/// Handlers, not ignored signals, because a program that kiln starts inherits what is ignored, but not a handler.
enum Interruption {
    private static let count = Atomic<Int>(0)
    private static let writeEnd = Atomic<Int32>(-1)

    /// Catches the signals from now on; `first` is called once, on a thread of its own.
    ///
    /// Also keeps a reader that went away (SIGPIPE) from ending the process in the middle of a change.
    static func install(first: @escaping @Sendable () -> Void) {
        guard let (readEnd, newEnd) = try? Wakeup.pipe() else { return }
        writeEnd.store(newEnd, ordering: .releasing)
        Thread.detachNewThread {
            var byte: UInt8 = 0
            while read(readEnd, &byte, 1) < 0 && errno == EINTR {}
            first()
        }
        for number in [SIGINT, SIGTERM] { signal(number) { _ in Interruption.caught() } }
        signal(SIGPIPE) { _ in }
    }

    // Runs in a signal handler: only what signal-safety(7) allows.
    private static func caught() {
        let (before, _) = count.add(1, ordering: .relaxed)
        if before > 0 { _exit(130) }
        var byte: UInt8 = 0
        _ = write(writeEnd.load(ordering: .acquiring), &byte, 1)
    }
}
