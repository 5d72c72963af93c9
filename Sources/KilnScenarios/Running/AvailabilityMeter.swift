import KilnEngine
import KilnModel
import Synchronization

/// A client that asks a server for an answer over and over, as a user of the service would.
///
/// A connection that is accepted proves nothing behind a user-mode forward, so only whole answers count. Each request is
/// made whether or not the one before was answered, since a request into a booting guest may hang.
final class AvailabilityMeter: Sendable {
    /// What is asked.
    struct Target: Sendable {
        let port: UInt16
        let path: String
        let status: Int
        let contains: String?
    }

    /// The time between two requests; the result can't be finer.
    static let interval = Duration.milliseconds(50)

    /// How long an answer may take to count: who waits longer calls the service away.
    static let patience = Duration.seconds(2)

    private let answers = Mutex<[ContinuousClock.Instant]>([])
    private let target: Target
    private let network: any NetworkProbe

    init(_ target: Target, network: any NetworkProbe) {
        self.target = target
        self.network = network
    }

    /// Asks while `body` runs, and a little before and after.
    ///
    /// - Returns: what `body` returned, and the longest time between two answers, less the usual interval.
    func measure<Result: Sendable>(_ body: @escaping @Sendable () async throws -> Result) async throws -> (
        Result, Duration?
    ) {
        let result = try await withThrowingTaskGroup(of: Result?.self) { group in
            group.addTask {
                await self.askUntilCancelled()
                return nil
            }
            group.addTask { try await body() }
            defer { group.cancelAll() }
            while let finished = try await group.next() {
                if let finished { return finished }
            }
            throw CancellationError()
        }
        await ask()
        return (result, longestGap)
    }

    private func askUntilCancelled() async {
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                group.addTask { await self.ask() }
                // The client's own beat, not a wait for something.
                try? await Task.sleep(for: AvailabilityMeter.interval)
            }
            group.cancelAll()
        }
    }

    private func ask() async {
        let finding = await network.http(
            port: target.port,
            path: target.path,
            status: target.status,
            contains: target.contains,
            within: AvailabilityMeter.patience
        )
        guard finding == .holds else { return }
        answers.withLock { $0.append(ContinuousClock.now) }
    }

    private var longestGap: Duration? {
        let times = answers.withLock { $0.sorted() }
        let gaps = zip(times, times.dropFirst()).map { $1 - $0 }
        return gaps.max().map { max($0 - AvailabilityMeter.interval, .zero) }
    }
}
