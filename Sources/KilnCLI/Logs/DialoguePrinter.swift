import KilnEngine
import Synchronization

/// Writes what a command in a guest says, while it says it; escaped where a terminal would obey it.
final class DialoguePrinter: Sendable {
    private let session: Session
    private let escapers = Mutex((output: ConsoleEscaper(), errors: ConsoleEscaper()))

    init(_ session: Session) { self.session = session }

    /// Writes the next part.
    ///
    /// - Throws: `KilnError` with code `output.not-written`; `CancellationError` where nobody reads the output any more, as in
    ///   `kiln exec web -- tail -f /log | grep -m1 ready`.
    func take(_ stream: GuestDialogue.Stream, _ bytes: [UInt8]) throws {
        guard !bytes.isEmpty else { return }
        session.progress.clear()
        escapers.withLock { escapers in
            switch stream {
            case .output where session.terminal.isOutputInteractive: session.output.text(escapers.output.take(bytes))
            case .output: session.output.write(bytes)
            case .errors where session.terminal.canRewriteLine: session.errors.text(escapers.errors.take(bytes))
            case .errors: session.errors.write(bytes)
            }
        }
        try session.output.requireReader()
    }

    /// Writes what was held back because it could have been the start of a character.
    func finish() {
        escapers.withLock { escapers in
            session.output.text(escapers.output.finish())
            session.errors.text(escapers.errors.finish())
        }
    }
}
