import Foundation
import KilnSystem
import Synchronization

/// Where the user wants the trace: on standard error, and in the file that `KILN_LOG` names.
enum TraceOutput {
    /// Starts the trace of this process.
    ///
    /// A file that can't be written is told once and fails nothing.
    static func start(isDebug: Bool, environment: [String: String], _ session: Session) {
        var sinks: [@Sendable (String) -> Void] = []
        if isDebug { sinks.append { line in session.writeAside("debug: \(line)") } }
        if let path = environment["KILN_LOG"], !path.isEmpty {
            let file = TraceFile(path) { session.writeAside("note: the trace can't be written to \(path): \($0)") }
            sinks.append(file.take)
        }
        Trace.start(sinks: sinks)
    }
}

/// A file that takes lines until it once doesn't.
final class TraceFile: Sendable {
    private let descriptor: Mutex<Int32>
    private let complain: @Sendable (String) -> Void

    /// Opens it for appending; only its owner may read it.
    init(_ path: String, complain: @escaping @Sendable (String) -> Void) {
        self.complain = complain
        // O_NONBLOCK: a FIFO without a reader would hold open() for ever.
        let flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK
        let opened = open(path, flags, 0o600)
        descriptor = Mutex(opened)
        if opened < 0 { complain(String(cString: strerror(errno))) }
    }

    deinit {
        descriptor.withLock { if $0 >= 0 { close($0) } }
    }

    /// Writes a line.
    func take(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        let problem = descriptor.withLock { descriptor -> String? in
            guard descriptor >= 0, write(descriptor, bytes, bytes.count) != bytes.count else { return nil }
            let problem = String(cString: strerror(errno))
            close(descriptor)
            descriptor = -1
            return problem
        }
        if let problem { complain(problem) }
    }
}

extension Session {
    /// Writes a line on standard error, between what is rewritten there.
    func writeAside(_ line: String) {
        progress.clear()
        errors.lines([ConsoleText.singleLine(line)])
    }
}
