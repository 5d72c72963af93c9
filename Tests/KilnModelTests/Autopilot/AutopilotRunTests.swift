import Foundation
import KilnModel
import Testing

/// `KILN_AUTOPILOT_SEED` replays one run; `KILN_AUTOPILOTS` says how many are tried.
@Suite("Autopilots, at random")
struct AutopilotRunTests {
    @Test("whatever falls, sleeps, dies or is commanded, an autopilot keeps its promises, and comes to an end")
    func randomRuns() async throws {
        let environment = ProcessInfo.processInfo.environment
        if let seed = environment["KILN_AUTOPILOT_SEED"].flatMap(UInt64.init) {
            var run = AutopilotRun(seed: seed)
            return try run.run()
        }
        let count = environment["KILN_AUTOPILOTS"].flatMap(Int.init) ?? 5000
        let tally = await AutopilotTally.of(count)
        for violation in tally.violations.prefix(3) { Issue.record("\(violation)\nreplay it with KILN_AUTOPILOT_SEED") }
        #expect(tally.violations.isEmpty, "\(tally.violations.count) of \(tally.runs)")
        #expect(tally.runs == count && tally.deaths > count / 2)
        // Runs in which little is done would prove little.
        for act in AutopilotAct.allCases { #expect((tally.acts[act] ?? 0) > count / 20, "\(act)") }
        #expect(tally.givingUps > count / 20 && tally.firstStarts > count / 20)
        print(
            "autopilots: \(tally.runs) runs, \(tally.deaths) deaths, \(tally.acts), given up \(tally.givingUps), "
                + "started after a boot \(tally.firstStarts)"
        )
    }

    @Test(
        "a mistake that is planted is found",
        arguments: [
            (AutopilotRun.Bug.actsOnStopped, AutopilotWorld.Promise.leaving), (.forgetsPause, .pause),
            (.countsJump, .patience),
        ]
    )
    func plantedBugs(_ bug: AutopilotRun.Bug, _ promise: AutopilotWorld.Promise) {
        for seed in UInt64(1)...1000 {
            var run = AutopilotRun(seed: seed, plant: bug)
            do {
                try run.run()
            } catch let violation as AutopilotWorld.Violation where violation.promise == promise {
                print("autopilots: \(bug) is found by run \(seed)")
                return
            } catch {}
        }
        Issue.record("\(bug) is not found")
    }
}

/// What many runs came to.
private struct AutopilotTally: RandomTally {
    private(set) var runs = 0
    private(set) var deaths = 0
    private(set) var acts: [AutopilotAct: Int] = [:]
    private(set) var givingUps = 0
    private(set) var firstStarts = 0
    private(set) var violations: [AutopilotWorld.Violation] = []

    mutating func run(seed: UInt64) {
        runs += 1
        var run = AutopilotRun(seed: seed)
        do {
            try run.run()
        } catch let violation as AutopilotWorld.Violation {
            violations.append(violation)
        } catch {
            violations.append(AutopilotWorld.Violation(promise: .ending, description: "seed \(seed): \(error)"))
        }
        deaths += run.deaths
        acts.merge(run.acts) { $0 + $1 }
        givingUps += run.givingUps
        firstStarts += run.firstStarts
    }

    mutating func add(_ other: AutopilotTally) {
        runs += other.runs
        deaths += other.deaths
        acts.merge(other.acts) { $0 + $1 }
        givingUps += other.givingUps
        firstStarts += other.firstStarts
        violations += other.violations
    }
}
