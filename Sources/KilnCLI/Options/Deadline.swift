import KilnModel

/// A limit that the user sets on top of what a command waits for by itself.
enum Deadline {
    /// Does the work, but not for longer than `limit`; nothing means that the work knows its own end.
    ///
    /// - Throws: `KilnError` with code `deadline`, saying `complaint`, after the work was cancelled.
    static func within(
        _ limit: Duration?,
        _ complaint: String,
        _ work: @escaping @Sendable () async throws -> Void
    ) async throws {
        guard let limit else { return try await work() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            defer { group.cancelAll() }
            group.addTask { try await work() }
            group.addTask {
                // The limit itself.
                try await Task.sleep(for: limit)
                throw KilnError(
                    .deadline,
                    "\(complaint) within \(ProgressLines.seconds(limit))",
                    hint: "look at it with 'kiln logs', or raise --timeout",
                    exit: .deadline
                )
            }
            try await group.next()
        }
    }
}
