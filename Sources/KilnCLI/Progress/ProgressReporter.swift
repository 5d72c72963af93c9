import KilnEngine
import Synchronization

/// Writes progress to standard error, from any task.
final class ProgressReporter: Sendable {
    private let lines: Mutex<ProgressLines>
    private let sink: ByteSink
    private let isQuiet: Bool
    private let start = ContinuousClock.now
    private let ticker = Mutex<Task<Void, any Error>?>(nil)

    init(sink: ByteSink, terminal: Terminal, isQuiet: Bool) {
        self.sink = sink
        self.isQuiet = isQuiet
        lines = Mutex(
            ProgressLines(isLive: terminal.canRewriteLine, columns: Terminal.columns, style: terminal.style)
        )
        guard terminal.canRewriteLine && !isQuiet else { return }
        let task = Task { [weak self] in
            while self != nil {
                // The display's own pulse: a tenth of a second would flicker, a whole one looks stuck.
                try await Task.sleep(for: .milliseconds(500))
                self?.tick()
            }
        }
        ticker.withLock { $0 = task }
    }

    deinit { ticker.withLock { $0?.cancel() } }

    /// Tells of progress.
    func take(_ progress: Progress) {
        if isQuiet { return }
        let now = ContinuousClock.now - start
        lines.withLock { sink.text($0.take(progress, at: now)) }
    }

    /// Takes the rewritten line away, because something else is about to be written.
    func clear() { lines.withLock { sink.text($0.clear()) } }

    private func tick() {
        let now = ContinuousClock.now - start
        lines.withLock { sink.text($0.tick(at: now)) }
    }
}
