import KilnModel

/// A limit that the user sets on top of what a command waits for by itself.
enum Deadline {
    /// Does the work, but not for longer than `limit`; nothing means that the work knows its own end.
    ///
    /// - Throws: `KilnError` with code `deadline`, saying `complaint`, after the work was cancelled.
    static func within<Result: Sendable>(
        _ limit: Duration?,
        _ complaint: String,
        hint: String = "look at it with 'kiln logs', or raise --timeout",
        _ work: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        guard let limit else { return try await work() }
        return try await withThrowingTaskGroup(of: Result.self) { group in
            defer { group.cancelAll() }
            group.addTask { try await work() }
            group.addTask {
                // The limit itself.
                try await Task.sleep(for: limit)
                throw KilnError(
                    .deadline,
                    "\(complaint) within \(ProgressLines.seconds(limit))",
                    hint: hint,
                    exit: .deadline
                )
            }
            guard let result = try await group.next() else { throw CancellationError() }
            return result
        }
    }
}
