import Foundation
import KilnTestSupport
import Testing

/// `KILN_SCHEDULE_SEED` replays one schedule; `KILN_SCHEDULES` says how many are tried, from `KILN_SCHEDULE_FIRST` on where
/// that is stated; without it as many as fit into some seconds.
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
        let first = environment["KILN_SCHEDULE_FIRST"].flatMap(UInt64.init) ?? .random(in: 1...1_000_000_000)
        let tally = await lives(count, from: first, until: end)
        // `make sweep` reads this line.
        print("schedules: \(try tally.summary)")
        for violation in tally.violations.prefix(3) { Issue.record("\(violation)\nreplay it with KILN_SCHEDULE_SEED") }
        #expect(tally.violations.isEmpty, "\(tally.violations.count) schedules, the first from seed \(first) on")
    }

    @Test("an engine that hands volumes over before it has proved the old machine dead is found out")
    func plantedBug() async throws {
        var tally = Tally()
        var isFound: Bool { tally.violations.contains { $0.kind == .bothServing } }
        // By number and not by time: on a busy host few lives fit into a minute.
        for seed in UInt64(1)...500 where !isFound { await tally.live(seed: seed, plant: .handoverBeforeProof) }
        #expect(isFound, "\(tally.violations.count) of \(tally.lives)")
    }

    private func lives(
        _ count: Int,
        from first: UInt64,
        until end: ContinuousClock.Instant
    ) async -> Tally {
        await withTaskGroup(of: Tally.self) { group in
            for lane in 0..<4 {
                group.addTask {
                    var tally = Tally()
                    for seed in stride(from: lane, to: count, by: 4).map({ first + UInt64($0) })
                    where ContinuousClock.now < end {
                        await tally.live(seed: seed)
                    }
                    return tally
                }
            }
            return await group.reduce(into: Tally()) { $0.add($1) }
        }
    }
}

/// What many lives came to.
private struct Tally {
    private(set) var lives = 0
    private(set) var acknowledged = 0
    private(set) var violations: [Schedule.Violation] = []

    mutating func live(seed: UInt64, plant bug: FakeWorld.Bug? = nil) async {
        lives += 1
        do {
            var schedule = try Schedule(seed: seed, plant: bug)
            defer { acknowledged += schedule.acknowledged }
            try await schedule.run()
        } catch let violation as Schedule.Violation {
            violations.append(violation)
        } catch {
            violations.append(Schedule.Violation(kind: .other, description: "seed \(seed): \(error)"))
        }
    }

    mutating func add(_ other: Tally) {
        lives += other.lives
        acknowledged += other.acknowledged
        violations += other.violations
    }

    /// One line of JSON.
    var summary: String {
        get throws {
            struct Summary: Encodable {
                let lives, acknowledged, lost, bothServing, neitherServing, leftovers: Int
                let violations: [String]
            }
            func count(_ kind: Schedule.Kind) -> Int { violations.count { $0.kind == kind } }
            let summary = Summary(
                lives: lives,
                acknowledged: acknowledged,
                lost: count(.lost),
                bothServing: count(.bothServing),
                neitherServing: count(.neitherServing),
                leftovers: count(.leftovers),
                violations: violations.prefix(5).map(\.description)
            )
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return String(decoding: try encoder.encode(summary), as: UTF8.self)
        }
    }
}
