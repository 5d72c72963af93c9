import Foundation
import KilnOutside

/// Thousands of random lives of a server on the engine and fakes: the suite `ScheduleTests`, as a program of its own.
struct ScheduleCell {
    let name: String
    let lives: Int
    /// The seed of the first life; the others count on from it.
    let seed: UInt64

    /// What the suite says of its run, after `schedules: ` on a line of its own.
    private struct Summary: Decodable {
        let lives: Int
        let acknowledged: Int
        let lost: Int
        let bothServing: Int
        let neitherServing: Int
        let leftovers: Int
        let violations: [String]
    }

    /// Lives them; what is wrong is in the result.
    func run() -> CellResult {
        var result = CellResult(cell: name)
        result.notes = ["seeds \(seed) to \(seed + UInt64(lives) - 1)"]
        let start = ContinuousClock.now
        do {
            var environment = ProcessInfo.processInfo.environment
            environment["KILN_SCHEDULES"] = "\(lives)"
            environment["KILN_SCHEDULE_FIRST"] = "\(seed)"
            let end = try Child(
                ["swift", "test", "--skip-build", "--filter", "KilnEngineTests.ScheduleTests/randomSchedules"],
                environment: environment,
                directory: FileManager.default.temporaryDirectory.path
            ).finish(within: .seconds(1800))
            let line = (end.output + "\n" + end.errors).split(separator: "\n").first { $0.contains("schedules: {") }
            guard let line, let mark = line.range(of: "schedules: ") else {
                throw Failure(
                    "the schedules said nothing: status \(end.status): \((end.output + end.errors).suffix(500))"
                )
            }
            let summary = try JSONDecoder().decode(Summary.self, from: Data(line[mark.upperBound...].utf8))
            result.runs = summary.lives
            result.acknowledged = summary.acknowledged
            result.lost = summary.lost
            result.bothServing = summary.bothServing
            result.neitherServing = summary.neitherServing
            result.leftovers = Array(repeating: "see the life's trace", count: summary.leftovers)
            result.broken = summary.violations
            if end.status != 0 { result.broken.append("the test ended with \(end.status)") }
            if summary.lives != lives { result.broken.append("\(summary.lives) lives were lived, not \(lives)") }
        } catch {
            result.broken.append("\(error)")
        }
        result.seconds = (ContinuousClock.now - start) / .seconds(1)
        return result
    }
}
