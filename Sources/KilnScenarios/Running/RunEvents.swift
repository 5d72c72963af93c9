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
    private let known: KnownSecrets
    private let run: Int

    /// A stream that begins now.
    ///
    /// - Parameters:
    ///   - run: which run of a command it tells of, from 1.
    ///   - secrets: what is never told; runs of one command may share it.
    public init(run: Int = 1, secrets: KnownSecrets = KnownSecrets(), _ sinks: [RunSink] = []) {
        self.run = run
        known = secrets
        state = Mutex(State(sinks: sinks))
    }

    /// Tells one more sink, of what happens from now on.
    public func add(_ sink: @escaping RunSink) { state.withLock { $0.sinks.append(sink) } }

    /// Takes what is secret, besides what is known to be, out of all that is told from now on.
    func hide(_ secrets: RunSecrets) { known.add(secrets) }

    /// What is secret in this run, as far as it is known by now.
    var secrets: RunSecrets { known.all }

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
