import KilnEngine
import KilnModel
import Synchronization

/// The one stream of a run's events: it numbers them, and hands each to every sink before the next.
public final class RunEvents: Sendable {
    private struct State {
        var count = 0
        var sinks: [RunSink]
    }

    private let origin = ContinuousClock.now
    private let state: Mutex<State>
    // Apart from the rest: sinks ask for them while an event is told.
    private let hiding = Mutex(RunSecrets([]))
    private let run: Int

    /// A stream that begins now.
    ///
    /// - Parameter run: which run of a command it tells of, from 1.
    public init(run: Int = 1, _ sinks: [RunSink] = []) {
        self.run = run
        state = Mutex(State(sinks: sinks))
    }

    /// Tells one more sink, of what happens from now on.
    public func add(_ sink: @escaping RunSink) { state.withLock { $0.sinks.append(sink) } }

    /// Takes what is secret, besides what is known to be, out of all that is told from now on.
    func hide(_ secrets: RunSecrets) { hiding.withLock { $0 = RunSecrets($0.texts + secrets.texts) } }

    /// What is secret in this run.
    public var secrets: RunSecrets { hiding.withLock { $0 } }

    /// The time since it began.
    public var elapsed: Duration { ContinuousClock.now - origin }

    /// Tells the sinks.
    func emit(_ kind: RunEvent.Kind) {
        // Under the lock: events of steps that run at the same time reach every sink in the order of their numbers.
        state.withLock { state in
            state.count += 1
            let event = RunEvent(run: run, number: state.count, time: elapsed, kind: secrets.hidden(kind))
            for sink in state.sinks { sink(event) }
        }
    }

    /// Takes in what the engine tells.
    public func record(_ progress: Progress) { emit(.progress(progress)) }
}
