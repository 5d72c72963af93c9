import KilnEngine
import KilnModel
import KilnSystem
import KilnTestSupport
import Synchronization
import Testing

@testable import KilnScenarios

/// A service in a test's own time: each request takes as long as the test says.
private final class TimedService: NetworkProbe {
    struct Asked: Sendable {
        let time: Duration
        let connection: ConnectionUse
    }

    private struct State {
        var asked: [Asked] = []
        var underWay = 0
        var most = 0
    }

    private let clock: ManualClock
    private let takes: @Sendable (Duration) -> Duration
    private let state = Mutex(State())

    /// A service where a request of a time takes so long; forever ends only by its limit.
    init(_ clock: ManualClock, _ takes: @escaping @Sendable (Duration) -> Duration) {
        self.clock = clock
        self.takes = takes
    }

    var asked: [Asked] { state.withLock { $0.asked } }
    var most: Int { state.withLock { $0.most } }
    var underWay: Int { state.withLock { $0.underWay } }

    func exchange(
        _ request: HTTPProbe,
        on port: UInt16,
        over connection: ConnectionUse,
        within limit: Duration
    ) async -> Result<HTTPAnswer, NoAnswer> {
        let now = clock.now.offset
        state.withLock { state in
            state.asked.append(Asked(time: now, connection: connection))
            state.underWay += 1
            state.most = max(state.most, state.underWay)
        }
        defer { state.withLock { $0.underWay -= 1 } }
        let time = takes(now)
        do {
            try await clock.sleep(for: min(time, limit))
        } catch { return .failure(NoAnswer("cancelled")) }
        return time > limit ? .failure(.silence) : .success(HTTPAnswer(status: 200))
    }

    func http(_ probe: HTTPProbe, on port: UInt16, within limit: Duration) async -> ProbeFinding { .holds }

    func tcp(port: UInt16, send: String?, expect: String, within limit: Duration) async -> ProbeFinding { .holds }
}

@Suite("The client that measures, in a test's own time", .timeLimit(.minutes(2)))
struct AvailabilityMeterTests {
    /// Measures two seconds of work, with a second before and after; the host may sleep for some of the time.
    private func measure(
        rate: Int = 20,
        awaitsLast: Bool = true,
        hold: Duration? = nil,
        asleep: Range<Duration>? = nil,
        _ takes: @escaping @Sendable (Duration) -> Duration
    ) async throws -> (AvailabilityLog, TimedService) {
        let clock = ManualClock()
        let service = TimedService(clock, takes)
        let request = HTTPProbe(port: try Name("http"), path: "/")
        let plan = AvailabilityPlan(request, port: 1, rate: rate, awaitsLast: awaitsLast, hold: hold)
        let meter = AvailabilityMeter(plan, network: service, clock: clock)
        let isOver = Mutex(false)
        async let measured = {
            defer { isOver.withLock { $0 = true } }
            return try await meter.measure { try await clock.sleep(for: .seconds(2)) }.1
        }()
        while !isOver.withLock({ $0 }) {
            // The client's beat and the work each wait for a moment, and so does every request.
            await settled(clock)
            guard let next = clock.next else { continue }
            clock.advance(to: asleep?.contains(next) == true ? asleep?.upperBound ?? next : next)
        }
        return (try await measured, service)
    }

    // Tasks that have been woken up come to wait again, which no event tells.
    private func settled(_ clock: ManualClock) async {
        var (same, last) = (0, -1)
        while same < 20 {
            await Task.yield()
            let now = clock.sleepers
            same = now == last ? same + 1 : 0
            last = now
        }
        try? await Task.sleep(for: .milliseconds(1))
    }

    @Test("a request is made when it is due, over new and kept connections in turn, and none is made twice")
    func beat() async throws {
        let (log, service) = try await measure { _ in .milliseconds(20) }
        let result = log.result
        #expect(result.sent == result.due && result.failed == 0 && result.inconclusive == nil, "\(result)")
        #expect(service.asked.count == log.samples.count)
        #expect(log.samples.allSatisfy { $0.due == plan20 * $0.number })
        #expect(
            abs(service.asked.count { $0.connection == .new } - service.asked.count { $0.connection == .kept }) <= 1
        )
    }

    @Test("a late answer does not delay the next request")
    func openLoop() async throws {
        let (log, service) = try await measure { $0 == .milliseconds(1500) ? .milliseconds(300) : .milliseconds(10) }
        #expect(log.result.sent == log.result.due && log.result.failed == 0)
        #expect(service.most > 1)
    }

    @Test("what a busy host slept through is made late where a front takes it, else missing")
    func sleptThrough() async throws {
        let half = Duration.milliseconds(1500)..<Duration.milliseconds(2000)
        let held = try await measure(hold: .seconds(30), asleep: half) { _ in .milliseconds(10) }.0.result
        #expect(held.sent == held.due && held.failed == 0 && held.inconclusive == nil, "\(held)")
        let open = try await measure(asleep: half) { _ in .milliseconds(10) }.0.result
        #expect(open.sent < open.due && open.inconclusive != nil, "\(open)")
    }

    @Test("at most eight wait, while one asks on at the same rate and sees soon when the service is back")
    func outage() async throws {
        let away = Duration.milliseconds(1200)..<Duration.milliseconds(2200)
        let (log, service) = try await measure { away.contains($0) ? .seconds(60) : .milliseconds(10) }
        let result = log.result
        // One that has just given way may still be going.
        #expect(service.most <= AvailabilityPlan.mostAtForward + 1)
        #expect(result.sent == result.due && result.givenUp > 0 && result.failed == 20, "\(result)")
        #expect(result.inconclusive == nil)
        #expect((900...1100).contains(result.longestGapMS), "\(result.longestGapMS)")
    }

    @Test("those who still wait at the end are waited for and counted")
    func drains() async throws {
        let (log, service) = try await measure { $0 >= .milliseconds(2900) ? .seconds(60) : .milliseconds(10) }
        #expect(service.underWay == 0)
        #expect(log.result.failed == 2)
        #expect(log.result.inconclusive?.contains("after") == true)
    }

    @Test(
        "where only the time without an answer counts, those who still wait at the end are given up, and it is the same"
    )
    func givesUp() async throws {
        let away = Duration.milliseconds(1200)..<Duration.milliseconds(2200)
        let hangs: @Sendable (Duration) -> Duration = {
            away.contains($0) || $0 == .milliseconds(3500) ? .seconds(60) : .milliseconds(10)
        }
        let (log, service) = try await measure(awaitsLast: false, hangs)
        #expect(service.underWay == 0)
        #expect(
            log.samples.allSatisfy { $0.ended <= .milliseconds(4100) },
            "\(log.samples.map(\.ended).max() ?? .zero)"
        )
        #expect((900...1100).contains(log.result.longestGapMS), "\(log.longestGap)")
    }

    @Test("a client that is cancelled ends, and so do its requests")
    func cancelled() async throws {
        let clock = ManualClock()
        let service = TimedService(clock) { _ in .seconds(60) }
        let plan = AvailabilityPlan(HTTPProbe(port: try Name("http"), path: "/"), port: 1)
        let task = Task {
            try await AvailabilityMeter(plan, network: service, clock: clock).measure {
                try await clock.sleep(for: .seconds(60))
            }.1
        }
        while service.asked.isEmpty { await settled(clock) }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(service.underWay == 0 && clock.sleepers == 0)
    }

    private let plan20 = Duration.milliseconds(50)
}
