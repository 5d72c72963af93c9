import Foundation
import Synchronization

/// SIGINT, SIGTERM and SIGHUP ask the sweep to begin no other cell; the ones that run come to their end, which takes
/// less than a minute, of a rollout some minutes, so that nothing is left behind.
enum Interruption {
    private static let caught = Atomic(false)

    /// Whether such a signal has come.
    static var isCaught: Bool { caught.load(ordering: .relaxed) }

    /// Catches the signals from now on.
    static func install() {
        for number in [SIGINT, SIGTERM, SIGHUP] {
            // Runs in a signal handler: only what signal-safety(7) allows.
            signal(number) { _ in
                Interruption.caught.store(true, ordering: .relaxed)
                let text: StaticString = "\nThe cells that run come to their end, then the sweep ends.\n"
                _ = write(2, text.utf8Start, text.utf8CodeUnitCount)
            }
        }
        // A lane that has died is noticed by what it does not answer.
        signal(SIGPIPE, SIG_IGN)
    }
}
