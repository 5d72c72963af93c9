import Foundation
import Synchronization

/// SIGINT and SIGTERM ask the benchmark to end; what it started is ended by the ordinary clean-up.
///
/// Handlers, not ignored signals, because programs inherit what is ignored, but not a handler.
enum Interruption {
    private static let writeEnd = Atomic<Int32>(-1)

    /// Catches the signals from now on; `first` is called at the first of them, on a thread of its own.
    static func install(first: @escaping @Sendable () -> Void) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let readEnd = ends[0]
        writeEnd.store(ends[1], ordering: .releasing)
        Thread.detachNewThread {
            var byte: UInt8 = 0
            while read(readEnd, &byte, 1) < 0 && errno == EINTR {}
            first()
        }
        for number in [SIGINT, SIGTERM, SIGHUP] { signal(number) { _ in Interruption.caught() } }
        // A report that nobody reads must not end the process before it has tidied up.
        signal(SIGPIPE) { _ in }
    }

    // Runs in a signal handler: only what signal-safety(7) allows.
    private static func caught() {
        var byte: UInt8 = 0
        _ = write(writeEnd.load(ordering: .acquiring), &byte, 1)
    }
}
