import Dispatch

/// Calls that block, on threads of their own instead of the few that all tasks share.
enum BlockingWork {
    private static let queue = DispatchQueue(label: "kiln.blocking", attributes: .concurrent)

    /// Runs `work`, which has to end by itself: cancellation does not reach it.
    static func run<Result: Sendable>(_ work: @escaping @Sendable () -> Result) async -> Result {
        await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: work()) }
        }
    }
}
