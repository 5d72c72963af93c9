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
    }

    private struct State {
        var open: [ServerID: (step: KilnModel.Step, start: Duration)] = [:]
        var phases: [Phase] = []
    }

    private let origin = ContinuousClock.now
    private let state = Mutex(State())

    /// A timeline that begins now.
    public init() {}

    /// The steps that have ended, in order.
    public var phases: [Phase] { state.withLock { $0.phases } }

    /// The time since the origin.
    public var elapsed: Duration { ContinuousClock.now - origin }

    /// Takes in what the engine tells.
    public func record(_ progress: Progress) {
        let now = elapsed
        switch progress {
        case .began(let server, _, let step): state.withLock { $0.open[server] = (step, now) }
        case .finished(let server, let generation, let step, _):
            state.withLock { state in
                guard let open = state.open.removeValue(forKey: server), open.step == step else { return }
                state.phases.append(
                    Phase(
                        server: server.server,
                        generation: generation,
                        step: step,
                        start: open.start,
                        duration: now - open.start
                    )
                )
            }
        case .plan, .waiting, .turnedBack, .note: break
        }
    }
}
