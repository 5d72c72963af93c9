import Foundation
import KilnTestSupport
import Testing

/// `KILN_SCHEDULE_SEED` replays one schedule; `KILN_SCHEDULES` says how many are tried; without it as many
/// as fit into some seconds.
@Suite struct ScheduleTests {
    @Test("whatever fails or dies in whatever order, one machine serves after the next command and no write is lost")
    func randomSchedules() async throws {
        let environment = ProcessInfo.processInfo.environment
        if let seed = environment["KILN_SCHEDULE_SEED"].flatMap(UInt64.init) {
            var schedule = try Schedule(seed: seed)
            return try await schedule.run()
        }
        let stated = environment["KILN_SCHEDULES"].flatMap(Int.init)
        let count = stated ?? 10000
        let end = ContinuousClock.now + (stated == nil ? .seconds(8) : .seconds(3600))
        let first = UInt64.random(in: 1...1_000_000_000)
        let violations = await withTaskGroup(of: [String].self) { group in
            for lane in 0..<4 {
                group.addTask {
                    await lives(stride(from: lane, to: count, by: 4).map { first + UInt64($0) }, until: end)
                }
            }
            return await group.reduce(into: []) { $0 += $1 }
        }
        for violation in violations.prefix(3) { Issue.record("\(violation)\nreplay it with KILN_SCHEDULE_SEED") }
        #expect(violations.isEmpty, "\(violations.count) schedules, the first from seed \(first) on")
    }

    private func lives(_ seeds: [UInt64], until end: ContinuousClock.Instant) async -> [String] {
        var violations: [String] = []
        for seed in seeds where ContinuousClock.now < end {
            do {
                var schedule = try Schedule(seed: seed)
                try await schedule.run()
            } catch {
                violations.append("\(error)")
            }
        }
        return violations
    }
}
