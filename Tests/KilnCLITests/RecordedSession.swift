import KilnEngine
import KilnModel
import Synchronization

@testable import KilnCLI

/// A session whose streams are kept in memory, and which has no host.
final class RecordedSession: Sendable {
    private let written = Mutex<(output: [UInt8], errors: [UInt8])>(([], []))

    var output: String { written.withLock { String(decoding: $0.output, as: UTF8.self) } }
    var errors: String { written.withLock { String(decoding: $0.errors, as: UTF8.self) } }

    func session(_ format: OutputFormat = .table, isQuiet: Bool = false) -> Session {
        let terminal = Terminal(input: false, output: false, errors: false, environment: [:])
        let errors = ByteSink { bytes in self.written.withLock { $0.errors += bytes } }
        return Session(
            format: format,
            terminal: terminal,
            output: ByteSink { bytes in self.written.withLock { $0.output += bytes } },
            errors: errors,
            progress: ProgressReporter(sink: errors, terminal: terminal, isQuiet: isQuiet),
            open: { _ in throw KilnError("test.no-host", "there is no host", exit: .unreachable) }
        )
    }
}
