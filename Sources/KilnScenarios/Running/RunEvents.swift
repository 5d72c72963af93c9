import KilnEngine
import KilnModel
import Synchronization

/// The one stream of a run's events: it numbers them, and hands each to every sink before the next.
public final class RunEvents: Sendable {
    private let origin = ContinuousClock.now
    private let count = Mutex(0)
    private let run: Int
    private let sinks: [RunSink]

    /// A stream that begins now.
    ///
    /// - Parameter run: which run of a command it tells of, from 1.
    public init(run: Int = 1, _ sinks: [RunSink] = []) {
        self.run = run
        self.sinks = sinks
    }

    /// The time since it began.
    public var elapsed: Duration { ContinuousClock.now - origin }

    /// Tells the sinks.
    func emit(_ kind: RunEvent.Kind) {
        // Under the lock: events of steps that run at the same time reach every sink in the order of their numbers.
        count.withLock { count in
            count += 1
            let event = RunEvent(run: run, number: count, time: elapsed, kind: kind)
            for sink in sinks { sink(event) }
        }
    }

    /// Takes in what the engine tells.
    public func record(_ progress: Progress) { emit(.progress(progress)) }
}
