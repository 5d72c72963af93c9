import Synchronization

/// A clock that stands still until a test lets time pass.
public final class ManualClock: Clock {
    /// A moment, since the clock was made.
    public struct Instant: InstantProtocol {
        /// The time since the clock was made.
        public let offset: Duration

        /// The moment so much later.
        public func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }

        /// The time up to another moment.
        public func duration(to other: Instant) -> Duration { other.offset - offset }

        /// Whether one moment is before another.
        public static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
    }

    private struct Sleeper {
        let deadline: Instant
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var now = Instant(offset: .zero)
        var sleepers: [Int: Sleeper] = [:]
        var cancelled: Set<Int> = []
        var last = 0
    }

    private let state = Mutex(State())

    /// A clock at zero.
    public init() {}

    /// The present moment.
    public var now: Instant { state.withLock { $0.now } }
    /// It is as fine as it gets.
    public var minimumResolution: Duration { .zero }
    /// How many wait for a moment.
    public var sleepers: Int { state.withLock { $0.sleepers.count } }
    /// The first moment that somebody waits for.
    public var next: Duration? { state.withLock { $0.sleepers.values.map(\.deadline).min()?.offset } }

    /// Waits until the clock has come to a moment.
    public func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        let number = state.withLock { state in
            state.last += 1
            return state.last
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let sleeper = Sleeper(deadline: deadline, continuation: continuation)
                let outcome: Result<Void, any Error>? = state.withLock { state in
                    if state.cancelled.remove(number) != nil { return .failure(CancellationError()) }
                    if deadline <= state.now { return .success(()) }
                    state.sleepers[number] = sleeper
                    return nil
                }
                if let outcome { continuation.resume(with: outcome) }
            }
        } onCancel: {
            let sleeper = state.withLock { state in
                let sleeper = state.sleepers.removeValue(forKey: number)
                if sleeper == nil { state.cancelled.insert(number) }
                return sleeper
            }
            sleeper?.continuation.resume(throwing: CancellationError())
        }
    }

    /// Lets time pass up to a moment, and wakes up whoever waited for it or an earlier one.
    public func advance(to moment: Duration) {
        let woken = state.withLock { state in
            state.now = max(state.now, Instant(offset: moment))
            let woken = state.sleepers.filter { $0.value.deadline <= state.now }
            woken.keys.forEach { state.sleepers[$0] = nil }
            return woken.values.sorted { $0.deadline < $1.deadline }
        }
        woken.forEach { $0.continuation.resume() }
    }
}
