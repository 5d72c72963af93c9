import Dispatch

/// Calls that block, on threads of their own instead of the few that all tasks share.
public enum BlockingWork {
    private static let queue = DispatchQueue(label: "kiln.blocking", attributes: .concurrent)

    /// Runs `work`, which has to end by itself: cancellation does not reach it.
    public static func run<Value: Sendable, Failure: Error>(
        _ work: @escaping @Sendable () throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        let outcome = await withCheckedContinuation {
            (continuation: CheckedContinuation<Result<Value, Failure>, Never>) in
            queue.async { continuation.resume(returning: Result { () throws(Failure) in try work() }) }
        }
        return try outcome.get()
    }
}
