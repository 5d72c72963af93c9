import Foundation
import KilnModel
import Testing

/// `KILN_ROLLOUT_SEED` replays one run; `KILN_ROLLOUTS` says how many are tried.
@Suite("Rollouts, at random")
struct RolloutRunTests {
    @Test("whatever fails, dies or is commanded, a rollout keeps its promises and ends")
    func randomRuns() async throws {
        let environment = ProcessInfo.processInfo.environment
        if let seed = environment["KILN_ROLLOUT_SEED"].flatMap(UInt64.init) {
            var run = RolloutRun(seed: seed)
            return try run.run()
        }
        let count = environment["KILN_ROLLOUTS"].flatMap(Int.init) ?? 10_000
        let tally = await RolloutTally.of(count)
        for violation in tally.violations.prefix(3) { Issue.record("\(violation)\nreplay it with KILN_ROLLOUT_SEED") }
        #expect(tally.violations.isEmpty, "\(tally.violations.count) of \(tally.runs)")
        #expect(tally.runs == count && tally.deaths > count / 2)
        // Runs that all end in one way would prove little.
        for kind in RolloutOutcome.Kind.allCases { #expect((tally.kinds[kind] ?? 0) > count / 100, "\(kind)") }
        print("rollouts: \(tally.runs) runs, \(tally.deaths) deaths, \(tally.kinds)")
    }

    @Test(
        "a mistake that is planted is found",
        arguments: [
            (RolloutRun.Bug.putInBeforeReady, RolloutWorld.Promise.readiness), (.uncountedTakeOut, .room),
            (.replacedAgain, .once), (.soakSkipped, .soak),
        ]
    )
    func plantedBugs(_ bug: RolloutRun.Bug, _ promise: RolloutWorld.Promise) {
        for seed in UInt64(1)...1000 {
            var run = RolloutRun(seed: seed, plant: bug)
            do {
                try run.run()
            } catch let violation as RolloutWorld.Violation where violation.promise == promise {
                print("rollouts: \(bug) is found by run \(seed)")
                return
            } catch {}
        }
        Issue.record("\(bug) is not found")
    }
}

/// What many runs came to.
private struct RolloutTally: RandomTally {
    private(set) var runs = 0
    private(set) var deaths = 0
    private(set) var kinds: [RolloutOutcome.Kind: Int] = [:]
    private(set) var violations: [RolloutWorld.Violation] = []

    mutating func run(seed: UInt64) {
        runs += 1
        var run = RolloutRun(seed: seed)
        do {
            try run.run()
        } catch let violation as RolloutWorld.Violation {
            violations.append(violation)
        } catch {
            violations.append(RolloutWorld.Violation(promise: .ending, description: "seed \(seed): \(error)"))
        }
        deaths += run.deaths
        if let kind = run.outcome?.kind { kinds[kind, default: 0] += 1 }
    }

    mutating func add(_ other: RolloutTally) {
        runs += other.runs
        deaths += other.deaths
        kinds.merge(other.kinds) { $0 + $1 }
        violations += other.violations
    }
}
