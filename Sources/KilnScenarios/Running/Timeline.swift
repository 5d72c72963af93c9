import KilnEngine
import KilnModel
import Synchronization

/// Collects when the steps of operations began and ended, from the engine's progress.
public final class Timeline: Sendable {
    /// One step of one operation.
    public struct Phase: Sendable, Hashable {
        /// The server.
        public let server: Name
        /// The generation that the operation is about.
        public let generation: Generation
        /// The step.
        public let step: KilnModel.Step
        /// When it began, since the timeline's origin.
        public let start: Duration
        /// How long it took.
        public let duration: Duration
        /// Whether it failed.
        public let hasFailed: Bool
    }

    private let origin = ContinuousClock.now
    private let trace = Mutex(PhaseTrace())

    /// A timeline that begins now.
    public init() {}

    /// The steps that have ended, in order.
    public var phases: [Phase] { trace.withLock { $0.phases } }

    /// The time since the origin.
    public var elapsed: Duration { ContinuousClock.now - origin }

    /// Takes in what the engine tells.
    public func record(_ progress: Progress) {
        let now = elapsed
        trace.withLock { trace in
            switch progress {
            case .began(let server, let generation, let step):
                trace.begin("\(server)", of: server.ownName, generation, step, at: now)
            case .finished(let server, _, _, _): trace.close("\(server)", at: now, hasFailed: false)
            case .turnedBack(let server, _): trace.close("\(server)", at: now, hasFailed: true)
            case .plan, .waiting, .note: break
            }
        }
    }

    /// Ends the timeline: what has not ended by now has failed.
    public func end() {
        let now = elapsed
        trace.withLock { $0.end(at: now) }
    }
}
