import KilnEngine
import KilnScenarios
import Synchronization

/// Writes progress to standard error, from any task.
final class ProgressReporter: Sendable {
    private struct State {
        var lines: ProgressLines
        /// What is to be written once somebody else has done with the terminal; nothing while nobody has it.
        var held: String?
        /// Takes out of a text what nobody is to read.
        var hidden: @Sendable (String) -> String = { $0 }
    }

    private let state: Mutex<State>
    private let sink: ByteSink
    private let isQuiet: Bool
    private let start = ContinuousClock.now
    private let ticker = Mutex<Task<Void, any Error>?>(nil)

    init(sink: ByteSink, terminal: Terminal, isQuiet: Bool) {
        self.sink = sink
        self.isQuiet = isQuiet
        let lines = ProgressLines(isLive: terminal.canRewriteLine, columns: Terminal.columns, style: terminal.style)
        state = Mutex(State(lines: lines))
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
        write { $0.take(progress, at: $1) }
    }

    /// A step of a scenario began.
    func begin(_ step: RunningSteps.Key, _ label: String, expected: Duration?) {
        write { $0.begin(step, label, expected: expected, at: $1) }
    }

    /// It ended.
    func end(_ step: RunningSteps.Key, _ outcome: ScenarioReport.Outcome) { write { $0.end(step, outcome, at: $1) } }

    /// A run ended.
    func endRun(_ run: Int) { write { $0.endRun(run, at: $1) } }

    /// Lets all that is told from now on go through `hidden`, which takes out what nobody is to read.
    func hide(by hidden: @escaping @Sendable (String) -> String) { state.withLock { $0.hidden = hidden } }

    /// Takes the rewritten lines away, because something else is about to be written.
    func clear() { state.withLock { if $0.held == nil { sink.text($0.lines.clear()) } } }

    /// Leaves the terminal to somebody else; what is told meanwhile is written later.
    func hold() {
        state.withLock { state in
            if state.held == nil { sink.text(state.lines.clear()) }
            state.held = state.held ?? ""
        }
    }

    /// Has the terminal again.
    func release() {
        state.withLock { state in
            sink.text(state.held ?? "")
            state.held = nil
        }
    }

    private func tick() { write(isNews: false) { $0.tick(at: $1) } }

    private func write(isNews: Bool = true, _ body: (inout ProgressLines, Duration) -> String) {
        if isQuiet { return }
        let now = ContinuousClock.now - start
        state.withLock { state in
            state.lines.columns = columns
            let text = state.hidden(body(&state.lines, now))
            guard let held = state.held else { return sink.text(text) }
            // Only whole lines: what would be rewritten is no news once it can be written.
            let cleared = state.lines.clear()
            if isNews, text.contains("\n") { state.held = held + text + cleared }
        }
    }

    // A recorded session has no terminal that could be asked.
    private var columns: Int { sink.descriptor == nil ? 80 : Terminal.columns }
}
