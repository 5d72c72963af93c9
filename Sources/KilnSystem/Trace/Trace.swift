import Foundation
import Logging
import Synchronization

/// What this process asked of the hypervisor, of guests and of other programs: who, how long, with which outcome.
///
/// The latest lines are always kept in memory, so that they can go with the evidence of a failure; a user may have all of
/// them on standard error or in a file. Whoever logs says nothing of arguments, input, content and user-data but their
/// length.
public enum Trace {
    private static let lines = Mutex(RecentLines(limit: 1 << 20))
    private static let sinks = Mutex<[@Sendable (String) -> Void]>([])
    private static let isStarted = Mutex(false)

    /// Starts the trace of this process, and sends it to `sinks` too.
    ///
    /// To be called before the first line; once, since swift-log has one destination for the life of a process.
    public static func start(sinks: [@Sendable (String) -> Void]) {
        self.sinks.withLock { $0 = sinks }
        isStarted.withLock { isStarted in
            if !isStarted { LoggingSystem.bootstrap { TraceHandler(label: $0) } }
            isStarted = true
        }
    }

    /// The latest lines.
    public static var text: String { lines.withLock { $0.text } }

    static func take(_ line: String) {
        lines.withLock { $0.append(line) }
        for sink in sinks.withLock({ $0 }) { sink(line) }
    }
}

/// Turns what is logged into lines of the trace.
struct TraceHandler: LogHandler {
    let label: String
    var metadata = Logger.Metadata()
    var logLevel = Logger.Level.debug

    init(label: String) { self.label = label }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let facts = metadata.merging(event.metadata ?? [:]) { _, new in new }
        let words = facts.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let time = Date.now.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
        let line = ([time, label, event.message.description] + words).joined(separator: " ")
        Trace.take(Printable.line(line))
    }
}

/// The last lines of a text, as many as fit a number of bytes.
struct RecentLines {
    private let limit: Int
    private var lines: [String] = []
    private var size = 0

    init(limit: Int) { self.limit = limit }

    var text: String { lines.map { $0 + "\n" }.joined() }

    mutating func append(_ line: String) {
        lines.append(line)
        size += line.utf8.count + 1
        guard size > limit else { return }
        // Half at once, so that not every line moves all others.
        while size > limit / 2, !lines.isEmpty { size -= lines.removeFirst().utf8.count + 1 }
    }
}
