/// A deadline passed.
///
/// Never thrown for a cancellation, which stays `CancellationError`.
public struct DeadlineExceeded: Error, Sendable, Equatable, CustomStringConvertible {
    /// What took too long, as an imperative.
    public let operation: String
    /// How long it was given.
    public let limit: Duration

    /// Makes the error.
    public init(operation: String, limit: Duration) {
        self.operation = operation
        self.limit = limit
    }

    /// One sentence with operation and limit.
    public var description: String { "no success within \(limit): \(operation)" }
}

/// Runs a body that has to end in time.
///
/// When the time is over the body is cancelled and *awaited*, so nothing goes on behind the caller's back; a body that
/// ignores cancellation therefore makes this overrun. Time is counted by a clock that also counts a suspended host.
///
/// - Parameters:
///   - duration: how long the body may take.
///   - operation: what it does, for the error.
///   - body: the work.
/// - Returns: what the body returns.
/// - Throws: ``DeadlineExceeded`` when time ran out first; else what the body throws; `CancellationError` when the
///   surrounding task is cancelled.
public func withDeadline<T: Sendable>(
    _ duration: Duration,
    operation: String,
    _ body: @escaping @Sendable () async throws -> T
) async throws -> T {
    try await withThrowingTaskGroup(of: T?.self) { group in
        group.addTask { try await body() }
        group.addTask {
            try await Task.sleep(for: duration, clock: .continuous)
            return nil
        }
        defer { group.cancelAll() }
        guard let outcome = try await group.next(), let value = outcome else {
            throw DeadlineExceeded(operation: operation, limit: duration)
        }
        return value
    }
}

/// Waits for a body that can't be stopped, such as a call into a library, but no longer than a time.
///
/// When the time is over, or the surrounding task is cancelled, the body goes on behind the caller's back, and what comes
/// of it is dropped. So it is for bodies that change nothing; see ``withDeadline(_:operation:_:)`` for all others.
///
/// - Throws: ``DeadlineExceeded`` when time ran out first; else what the body throws; `CancellationError`.
public func withPatience<T: Sendable>(
    _ duration: Duration,
    operation: String,
    _ body: @escaping @Sendable () async throws -> T
) async throws -> T {
    let (outcomes, continuation) = AsyncThrowingStream<T, any Error>.makeStream()
    Task {
        do {
            continuation.yield(try await body())
        } catch {
            continuation.finish(throwing: error)
        }
    }
    let timer = Task {
        try await Task.sleep(for: duration, clock: .continuous)
        continuation.finish(throwing: DeadlineExceeded(operation: operation, limit: duration))
    }
    defer { timer.cancel() }
    for try await outcome in outcomes { return outcome }
    throw CancellationError()
}
