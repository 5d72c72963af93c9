import KilnEngine
import KilnModel
import Synchronization

/// The one stream of a run's events: it numbers them, and hands each to every sink before the next.
public final class RunEvents: Sendable {
    private struct State {
        var count = 0
        var sinks: [RunSink]
        var secrets: [String] = []
    }

    private let origin = ContinuousClock.now
    private let state: Mutex<State>
    private let run: Int

    /// A stream that begins now.
    ///
    /// - Parameter run: which run of a command it tells of, from 1.
    public init(run: Int = 1, _ sinks: [RunSink] = []) {
        self.run = run
        state = Mutex(State(sinks: sinks))
    }

    /// Tells one more sink, of what happens from now on.
    func add(_ sink: @escaping RunSink) { state.withLock { $0.sinks.append(sink) } }

    /// The time since it began.
    public var elapsed: Duration { ContinuousClock.now - origin }

    /// Tells the sinks.
    func emit(_ kind: RunEvent.Kind) {
        // Under the lock: events of steps that run at the same time reach every sink in the order of their numbers.
        state.withLock { state in
            state.count += 1
            let event = RunEvent(run: run, number: state.count, time: elapsed, kind: kind)
            for sink in state.sinks { sink(event) }
        }
    }

    /// Never tells these texts from now on, where the engine says them.
    func hide(_ secrets: [String]) { state.withLock { $0.secrets += secrets } }

    /// A text without what is to be hidden.
    private func hidden(_ text: String) -> String {
        state.withLock { $0.secrets }.reduce(text) { text, secret in
            text.contains(secret) ? text.replacing(secret, with: "***") : text
        }
    }

    /// Takes in what the engine tells.
    public func record(_ progress: Progress) {
        switch progress {
        case .plan(let server, let text): emit(.progress(.plan(server, hidden(text))))
        case .waiting(let server, let generation, let text):
            emit(.progress(.waiting(server, generation, hidden(text))))
        case .note(let text): emit(.progress(.note(hidden(text))))
        case .turnedBack(let server, let turn): emit(.progress(.turnedBack(server, hidden(turn))))
        case .began, .finished: emit(.progress(progress))
        }
    }

    // A cause may be what a console said last.
    private func hidden(_ turn: TurnBack) -> TurnBack {
        var told = TurnBack(
            direction: turn.direction,
            step: turn.step,
            code: turn.code,
            reason: hidden(turn.reason),
            cause: turn.cause.map { hidden($0) },
            hint: turn.hint.map { hidden($0) }
        )
        told.milliseconds = turn.milliseconds
        return told
    }
}
