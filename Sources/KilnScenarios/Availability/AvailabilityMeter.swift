import KilnEngine
import KilnModel
import Synchronization

/// A client that asks a service for an answer over and over, as its users would.
///
/// A connection that is accepted proves nothing behind a user-mode forward, so only whole answers count. Each request is
/// made when it is due, whether or not the one before was answered, since a request into a booting guest may hang; none is
/// made twice. Nothing here holds a thread.
public final class AvailabilityMeter<Time: Clock>: Sendable where Time.Duration == Duration {
    private struct State {
        var samples: [AvailabilitySample] = []
        // All that have not ended, also those that gave way.
        var tasks: [Int: Task<Void, Never>] = [:]
        // Oldest first.
        var underWay: [Int] = []
        var isOver = false
    }

    private let plan: AvailabilityPlan
    private let network: any NetworkProbe
    private let clock: Time
    private let origin: Time.Instant
    private let state = Mutex(State())

    /// A client; its time begins now.
    public init(_ plan: AvailabilityPlan, network: any NetworkProbe, clock: Time = ContinuousClock()) {
        self.plan = plan
        self.network = network
        self.clock = clock
        origin = clock.now
    }

    private var elapsed: Duration { origin.duration(to: clock.now) }

    /// Asks while `body` runs, and for the plan's control time before and after.
    ///
    /// - Returns: what `body` returned, and the log of all requests.
    public func measure<Result: Sendable>(
        _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> (Result, AvailabilityLog) {
        try await withThrowingTaskGroup(of: (Result, Range<Duration>)?.self) { group in
            group.addTask {
                await self.askUntilOver()
                return nil
            }
            group.addTask {
                defer { self.state.withLock { $0.isOver = true } }
                try await self.clock.sleep(for: self.plan.control)
                let start = self.elapsed
                let result = try await body()
                let end = self.elapsed
                try await self.clock.sleep(for: self.plan.control)
                return (result, start..<max(start, end))
            }
            defer { group.cancelAll() }
            var found: (Result, Range<Duration>)?
            // Those who still wait usually are waited for: what becomes of them belongs to the result.
            while let next = try await group.next() { found = next ?? found }
            guard let (result, work) = found else { throw CancellationError() }
            return (result, AvailabilityLog(plan: plan, samples: state.withLock { $0.samples }, work: work))
        }
    }

    private func askUntilOver() async {
        var number = 0
        while !Task.isCancelled, !state.withLock({ $0.isOver }) {
            do {
                // The client's own beat, not a wait for something.
                try await clock.sleep(until: origin.advanced(by: plan.interval * number), tolerance: .zero)
            } catch { break }
            // What this host slept through longer than that is not made up for; the judge sees that it is missing.
            number = max(number, Int(elapsed / plan.interval) - plan.mostMadeLate)
            send(number)
            number += 1
        }
        await drain()
    }

    private func send(_ number: Int) {
        state.withLock { state in
            if state.underWay.count >= plan.mostUnderWay {
                state.tasks[state.underWay.remove(at: AvailabilityPlan.patient)]?.cancel()
            }
            state.underWay.append(number)
            // It takes the same lock before it removes itself.
            state.tasks[number] = Task { await self.ask(number) }
        }
    }

    private func ask(_ number: Int) async {
        let (due, connection) = (plan.interval * number, plan.connection(number))
        let exchange = await network.exchange(plan.request, on: plan.port, over: connection, within: plan.patience)
        let ended = elapsed
        state.withLock { state in
            let isWaitedFor = state.underWay.contains(number)
            state.underWay.removeAll { $0 == number }
            state.tasks[number] = nil
            var outcome = AvailabilitySample.Outcome(exchange, for: plan)
            if !isWaitedFor, case .failed = outcome { outcome = .givenUp }
            state.samples.append(
                AvailabilitySample(number: number, connection: connection, due: due, ended: ended, outcome: outcome)
            )
        }
    }

    // Each of them has its own deadline.
    private func drain() async {
        let tasks = state.withLock { state in
            if !plan.awaitsLast { state.underWay = [] }
            return Array(state.tasks.values)
        }
        if !plan.awaitsLast { tasks.forEach { $0.cancel() } }
        await withTaskCancellationHandler {
            for task in tasks { await task.value }
        } onCancel: {
            tasks.forEach { $0.cancel() }
        }
    }
}
