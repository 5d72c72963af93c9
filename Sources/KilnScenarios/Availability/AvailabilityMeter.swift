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
    /// Where nobody answers before or after, the service counts as away from the beginning, or to the end.
    /// - Returns: what `body` returned, and the longest time without an answer, less the usual interval.
    func measure<Result: Sendable>(_ body: @escaping @Sendable () async throws -> Result) async throws -> (
        Result, Duration
    ) {
        let start = ContinuousClock.now
        // Who replaces a service that hangs does not wait for it as long as its users do.
        let isThere = await ask(within: min(target.patience, .seconds(2)))
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
        let isBack = await ask(within: target.patience)
        return (result, longestGap(from: isThere ? nil : start, to: isBack ? nil : .now))
    }

    private func askUntilCancelled() async {
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                group.addTask { await self.ask(within: self.target.patience) }
                // The client's own beat, not a wait for something.
                try? await Task.sleep(for: target.interval)
            }
            group.cancelAll()
        }
    }

    @discardableResult
    private func ask(within limit: Duration) async -> Bool {
        guard await network.http(target.probe, on: target.port, within: limit) == .holds else { return false }
        answers.withLock { $0.append(ContinuousClock.now) }
        return true
    }

    private func longestGap(from start: ContinuousClock.Instant?, to end: ContinuousClock.Instant?) -> Duration {
        let times = [start].compactMap(\.self) + answers.withLock { $0.sorted() } + [end].compactMap(\.self)
        let gaps = zip(times, times.dropFirst()).map { $1 - $0 }
        return max((gaps.max() ?? .zero) - target.interval, .zero)
    }
}
