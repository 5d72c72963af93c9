import Synchronization

/// When the next of several connections may do something.
final class RecordPace: Sendable {
    private let interval: Duration
    private let next = Mutex<ContinuousClock.Instant?>(nil)

    /// A pace of one turn per interval, for all connections together.
    init(_ interval: Duration) { self.interval = interval }

    /// Waits for the next turn; turns that nobody took are not made up for.
    func turn() async throws {
        guard interval > .zero else { return try Task.checkCancellation() }
        let due = next.withLock { next in
            let due = max(next ?? .now, .now)
            next = due + interval
            return due
        }
        // The writer's own beat, not a wait for something.
        try await Task.sleep(until: due, clock: .continuous)
    }
}

/// Connections that are used at the same time, each by one task, and opened again when they break.
struct ConnectionLanes<Connection: Sendable>: Sendable {
    /// How many.
    let count: Int
    /// Opens one.
    let open: @Sendable () async throws -> Connection
    /// Ends one.
    let close: @Sendable (Connection) async -> Void

    /// How long a lane waits before it opens a connection in place of one that broke.
    private static var pause: Duration { .milliseconds(200) }

    /// Uses them until the task is cancelled; `use` takes one turn, and throws where the connection is no good any more.
    ///
    /// - Parameter failed: takes why a connection could not be opened, or broke.
    func run(
        failed: @escaping @Sendable (any Error) async -> Void,
        _ use: @escaping @Sendable (Connection) async throws -> Void
    ) async {
        await withDiscardingTaskGroup { group in
            for _ in 0..<count {
                group.addTask {
                    while !Task.isCancelled {
                        do {
                            try await useOne(use)
                        } catch { await failed(error) }
                        // The service may be away, which no event tells.
                        try? await Task.sleep(for: ConnectionLanes.pause)
                    }
                }
            }
        }
    }

    private func useOne(_ use: @Sendable (Connection) async throws -> Void) async throws {
        let connection = try await open()
        do {
            while true { try await use(connection) }
        } catch {
            await close(connection)
            throw error
        }
    }
}
