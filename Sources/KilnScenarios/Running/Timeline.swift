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

    private struct OpenPhase {
        let generation: Generation
        let step: KilnModel.Step
        let start: Duration
    }

    private struct State {
        var open: [ServerID: OpenPhase] = [:]
        var phases: [Phase] = []

        mutating func close(_ server: ServerID, at end: Duration, hasFailed: Bool) {
            guard let open = self.open.removeValue(forKey: server) else { return }
            phases.append(
                Phase(
                    server: server.server,
                    generation: open.generation,
                    step: open.step,
                    start: open.start,
                    duration: end - open.start,
                    hasFailed: hasFailed
                )
            )
        }
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
        state.withLock { state in
            switch progress {
            case .began(let server, let generation, let step):
                // On the way back nothing tells of a step that fails but the next one's beginning.
                state.close(server, at: now, hasFailed: true)
                state.open[server] = OpenPhase(generation: generation, step: step, start: now)
            case .finished(let server, _, _, _): state.close(server, at: now, hasFailed: false)
            case .turnedBack(let server, _): state.close(server, at: now, hasFailed: true)
            case .plan, .waiting, .note: break
            }
        }
    }

    /// Ends the timeline: what has not ended by now has failed.
    public func end() {
        let now = elapsed
        state.withLock { state in
            for server in state.open.keys.sorted(by: { $0.description < $1.description }) {
                state.close(server, at: now, hasFailed: true)
            }
        }
    }
}
