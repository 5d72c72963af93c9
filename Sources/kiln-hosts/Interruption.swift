import Foundation
import Synchronization

/// SIGINT, SIGTERM and SIGHUP end the visit that runs, with everything in it.
enum Interruption {
    private static let caught = Atomic(false)

    /// Whether such a signal has come.
    static var isCaught: Bool { caught.load(ordering: .relaxed) }

    /// Catches the signals from now on.
    static func install() {
        for number in [SIGINT, SIGTERM, SIGHUP] {
            // Runs in a signal handler: only what signal-safety(7) allows.
            signal(number) { _ in Interruption.caught.store(true, ordering: .relaxed) }
        }
    }
}
