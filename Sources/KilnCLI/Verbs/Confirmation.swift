import Foundation
import KilnModel

/// A question before something that can't be undone, or that people depend on.
enum Confirmation {
    /// Asks on the terminal; returns only where the answer is yes, or was given beforehand.
    ///
    /// - Throws: `KilnError` with code `volume.unconfirmed`; `CancellationError` where the user interrupts instead.
    static func ask(
        _ question: String,
        unless isSaid: Bool,
        _ session: Session,
        from descriptor: Int32 = STDIN_FILENO
    ) async throws {
        if isSaid { return }
        guard session.terminal.isInputInteractive && session.terminal.canRewriteLine else {
            throw KilnError(
                .volumeUnconfirmed,
                "nobody can be asked here",
                hint: "say it beforehand: --yes",
                exit: .usage
            )
        }
        session.progress.clear()
        session.errors.text("\(question) [y/N] ")
        guard ["y", "yes"].contains(try await StandardInput.answer(from: descriptor).lowercased()) else {
            throw KilnError(.volumeUnconfirmed, "nothing was deleted", exit: .usage)
        }
    }
}
