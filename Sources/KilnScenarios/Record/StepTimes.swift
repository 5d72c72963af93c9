import Foundation
import KilnModel
import KilnSystem

/// How long the steps of a scenario took in its latest runs.
public struct StepTimes: Sendable, Hashable {
    /// How many runs are looked at.
    static let mostRuns = 5

    private struct Key: Hashable {
        let id: StepID
        let name: String
    }

    private let times: [Key: [Int]]

    /// What reports tell of steps that passed; a step that was changed or moved since is another.
    public init(_ reports: [ScenarioReport] = []) {
        let steps = reports.flatMap { ($0.steps + $0.finally).flatMap(\.all) }.filter { $0.outcome == .passed }
        times = Dictionary(grouping: steps) { Key(id: $0.id, name: $0.name) }.mapValues { $0.map(\.ms).sorted() }
    }

    /// How long a step can be expected to take: as long as half of the times; nothing where it never passed.
    public func time(of id: StepID, _ name: String) -> Duration? {
        guard let known = times[Key(id: id, name: name)], !known.isEmpty else { return nil }
        return .milliseconds(known[known.count / 2])
    }
}

extension StepResult {
    /// It and all that it holds, at any depth.
    fileprivate var all: [StepResult] { [self] + children.flatMap(\.all) }
}

extension RunLogFiles {
    /// The most that is read of a log's end for the report that stands there.
    private static let mostReport = 4 << 20

    /// How long the steps of a scenario took in its latest runs; nothing is known of a scenario that never ran.
    public func stepTimes(of scenario: Scenario) -> StepTimes {
        var reports: [ScenarioReport] = []
        for run in runs.reversed() where reports.count < StepTimes.mostRuns {
            // The name of a run is the scenario's, which may be cut, and an id.
            guard let dash = run.text.lastIndex(of: "-"), scenario.name.text.hasPrefix(run.text[..<dash]),
                let report = lastReport(of: run), report.title == scenario.title
            else { continue }
            reports.append(report)
        }
        return StepTimes(reports)
    }

    // The report is the last line of a run that ended; what comes before it may be long.
    private func lastReport(of run: Name) -> ScenarioReport? {
        guard
            let line = FileTail.read(path(of: run), atMost: Self.mostReport)?.split(separator: UInt8(ascii: "\n")).last
        else { return nil }
        return try? JSONDecoder().decode(RecordedEvent.self, from: Data(line)).report
    }
}
