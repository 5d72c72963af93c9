import KilnEngine
import KilnModel

@testable import KilnScenarios

/// Runs that end in each of the ways that a reader has to tell apart.
enum RunPortrait: String, Sendable, CaseIterable {
    case passed, reverted, halted, lossy, interrupted

    /// The page of one run.
    func html() throws -> String { try ReportPage([history()]).html() }

    private func history() throws -> RunHistory {
        let web = try Name("web")
        var run = RunHistory(try report())
        run.strips = [AvailabilityStrip(try log, of: web, origin: .milliseconds(9_000))]
        let points = [(9_000, 0), (11_000, 40), (19_000, 42), (27_000, 202)]
        run.curves = [.init(ledger: web, server: web, points: points.map { .init(ms: $0.0, total: $0.1) })]
        if self != .passed {
            let said =
                "[   12.1] EXT4-fs (vda): no journal found\n[   12.2] Kernel panic - not syncing: VFS: Unable to mount root"
            run.consoles = [ConsoleExcerpt(server: web, generation: Generation(2), text: said)]
        }
        if self == .reverted || self == .halted {
            run.turns = [.init(ms: 20_000, server: web, text: "web turns back: \(try cause)")]
        }
        if self == .interrupted { run.end = .interrupted }
        return run
    }

    private var cause: String {
        get throws {
            switch self {
            case .passed: "none"
            case .reverted:
                "a replacement that is committed expected, reverted found: generation 2 answered /version with 2, expected 1"
            case .halted:
                "web is halted since operation 2: the disk of the volume 'data' is full, and the old machine can't be started"
            case .lossy: "of 202 acknowledged records 3 are lost: 117, 118, 119, from 18.2 s to 18.4 s of the run"
            case .interrupted: "the run was killed"
            }
        }
    }

    private func report() throws -> ScenarioReport {
        let exit: [RunPortrait: ExitCode] = [
            .passed: .done, .reverted: .reverted, .halted: .halted, .lossy: .dataLoss, .interrupted: .interrupted,
        ]
        let (cause, code) = (try cause, exit[self] ?? .done)
        return try ReportFixture.report(
            self == .passed ? .passed : .failed,
            exit: code,
            lost: self == .lossy ? 3 : 0,
            steps: try steps(cause),
            phases: try phases,
            error: self == .passed
                ? nil
                : KilnError(
                    .runUnmet,
                    cause,
                    hint: "see what the new machine said: 'kiln report keeps-data'",
                    exit: code
                )
        )
    }

    private func steps(_ cause: String) throws -> [StepResult] {
        let verifies: ScenarioReport.Outcome = self == .lossy ? .failed : self == .passed ? .passed : .skipped
        let isReplaced = self == .passed || self == .lossy
        return [
            ReportFixture.step([1], "up web", .passed, 0, 8_200, kind: "up"),
            ReportFixture.step([2], "write-ledger web", .passed, 8_200, 9_000, kind: "write-ledger"),
            ReportFixture.step(
                [3],
                "replace web by tiny:2",
                isReplaced ? .passed : .failed,
                9_000,
                21_000,
                kind: "replace",
                detail: isReplaced ? "unavailable 8421 ms" : cause
            ),
            ReportFixture.step([3, 1], "power-cut web at stop.before", .passed, 10_900, 11_000, kind: "fault"),
            ReportFixture.step(
                [4],
                "verify-ledger web",
                verifies,
                21_000,
                27_000,
                detail: self == .lossy ? cause : nil
            ),
            ReportFixture.step([5], "down", self == .passed ? .passed : .skipped, 27_000, 28_000, kind: "down"),
        ]
    }

    private var phases: [ScenarioReport.Phase] {
        get throws {
            let isBack = self == .reverted || self == .halted
            return [
                try ReportFixture.phase("START", 300, 200), try ReportFixture.phase("HEALTHY", 500, 7_400),
                try ReportFixture.phase("COMMIT", 7_900, 250),
                try ReportFixture.phase("STOP", generation: 2, 10_900, 1_000),
                try ReportFixture.phase("START", generation: 2, 11_900, 400),
                try ReportFixture.phase("HEALTHY", generation: 2, 12_300, 7_000, failed: isBack),
            ] + (isBack ? [try ReportFixture.phase("STOP-NEW", generation: 2, 19_300, 700)] : [])
        }
    }

    private var log: AvailabilityLog {
        get throws {
            let plan = AvailabilityPlan(HTTPProbe(port: try Name("http"), path: "/"), port: 1)
            let samples = (0..<240).map { number in
                AvailabilitySample(
                    number: number,
                    connection: .new,
                    due: .milliseconds(50 * number),
                    ended: .milliseconds(50 * number + (number == 212 ? 700 : 5)),
                    outcome: (40..<200).contains(number)
                        ? .failed(.refused) : .answered(version: number < 40 ? "1" : "2")
                )
            }
            return AvailabilityLog(plan: plan, samples: samples, work: .milliseconds(0)..<(.milliseconds(12_000)))
        }
    }
}
