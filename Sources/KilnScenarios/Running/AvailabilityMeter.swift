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
        let probe: HTTPProbe
        let port: UInt16
        /// How long an answer may take to count: who waits longer calls the service away.
        let patience: Duration

        /// A client of a port; where the probe says how long an answer may take, the client waits as long.
        init(_ probe: HTTPProbe, port: UInt16, timeout: Duration = Check.usualTimeout) {
            self.probe = probe
            self.port = port
            patience = timeout == Check.usualTimeout ? .seconds(2) : timeout
        }

        /// The time between two requests; the result can't be finer.
        ///
        /// Who waits long asks less often, so that no more than forty requests wait for one answer.
        var interval: Duration { max(.milliseconds(50), patience / 40) }
    }

    private let answers = Mutex<[ContinuousClock.Instant]>([])
    private let target: Target
    private let network: any NetworkProbe

    init(_ target: Target, network: any NetworkProbe) {
        self.target = target
        self.network = network
    }

    /// Asks while `body` runs, once before, and once after.
    ///
    /// - Returns: what `body` returned, and the longest time between two answers, less the usual interval.
    func measure<Result: Sendable>(_ body: @escaping @Sendable () async throws -> Result) async throws -> (
        Result, Duration?
    ) {
        await ask()
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
                try? await Task.sleep(for: target.interval)
            }
            group.cancelAll()
        }
    }

    private func ask() async {
        guard await network.http(target.probe, on: target.port, within: target.patience) == .holds else { return }
        answers.withLock { $0.append(ContinuousClock.now) }
    }

    private var longestGap: Duration? {
        let times = answers.withLock { $0.sorted() }
        let gaps = zip(times, times.dropFirst()).map { $1 - $0 }
        return gaps.max().map { max($0 - target.interval, .zero) }
    }
}
