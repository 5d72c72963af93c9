import Foundation
import KilnModel
import Testing

/// `KILN_AUTOSCALE_SEED` replays one run; `KILN_AUTOSCALES` says how many are tried.
@Suite("Numbers of members that follow their load, at random")
struct AutoscaleRunTests {
    @Test(
        "whatever falls, sleeps, dies or is commanded, members come and go as it is promised, and there are enough in the end"
    )
    func randomRuns() async throws {
        let environment = ProcessInfo.processInfo.environment
        if let seed = environment["KILN_AUTOSCALE_SEED"].flatMap(UInt64.init) {
            var run = AutoscaleRun(seed: seed)
            return try run.run()
        }
        let count = environment["KILN_AUTOSCALES"].flatMap(Int.init) ?? 5000
        let tally = await AutoscaleTally.of(count)
        for violation in tally.violations.prefix(3) { Issue.record("\(violation)\nreplay it with KILN_AUTOSCALE_SEED") }
        #expect(tally.violations.isEmpty, "\(tally.violations.count) of \(tally.runs)")
        // Runs in which little is done would prove little.
        #expect(tally.runs == count && tally.deaths > count / 2)
        #expect(tally.came > count / 2 && tally.went > count / 2 && tally.finished > count / 20)
        print("autoscale: \(tally.runs) runs, \(tally.deaths) deaths, out \(tally.came), in \(tally.went)")
    }

    @Test(
        "a mistake that is planted is found",
        arguments: [
            (AutoscaleRun.Bug.ignoresCooldown, AutoscaleWorld.Promise.window), (.ignoresFailures, .cooldown),
            (.ignoresReadiness, .readiness), (.countsGap, .window),
        ]
    )
    func plantedBugs(_ bug: AutoscaleRun.Bug, _ promise: AutoscaleWorld.Promise) {
        for seed in UInt64(1)...1000 {
            var run = AutoscaleRun(seed: seed, plant: bug)
            do {
                try run.run()
            } catch let violation as AutoscaleWorld.Violation where violation.promise == promise {
                print("autoscale: \(bug) is found by run \(seed)")
                return
            } catch {}
        }
        Issue.record("\(bug) is not found")
    }
}

/// What many runs came to.
private struct AutoscaleTally: RandomTally {
    private(set) var runs = 0
    private(set) var deaths = 0
    private(set) var came = 0
    private(set) var went = 0
    private(set) var finished = 0
    private(set) var violations: [AutoscaleWorld.Violation] = []

    mutating func run(seed: UInt64) {
        runs += 1
        var run = AutoscaleRun(seed: seed)
        do {
            try run.run()
        } catch let violation as AutoscaleWorld.Violation {
            violations.append(violation)
        } catch {
            violations.append(AutoscaleWorld.Violation(promise: .ending, description: "seed \(seed): \(error)"))
        }
        deaths += run.deaths
        came += run.moves.out
        went += run.moves.in
        finished += run.finished
    }

    mutating func add(_ other: AutoscaleTally) {
        runs += other.runs
        deaths += other.deaths
        came += other.came
        went += other.went
        finished += other.finished
        violations += other.violations
    }
}
