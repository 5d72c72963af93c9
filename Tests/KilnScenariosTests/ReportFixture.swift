import KilnDocuments
import KilnModel

@testable import KilnScenarios

/// Reports as runs leave them, in parts.
enum ReportFixture {
    static func step(
        _ numbers: [Int],
        _ name: String,
        _ outcome: ScenarioReport.Outcome = .passed,
        _ begin: Int = 0,
        _ end: Int = 1_000,
        kind: String = "exec",
        detail: String? = nil,
        children: [StepResult] = []
    ) -> StepResult {
        let root = YAMLNode(position: Position(line: 7, column: 5), content: .list([]))
        return StepResult(
            id: StepID(numbers),
            kind: kind,
            place: StepPlace(Value(node: root, path: "steps[0]", problems: ProblemList(file: "a.yaml"))),
            name: name,
            outcome: outcome,
            begin: .milliseconds(begin),
            end: .milliseconds(end),
            detail: detail,
            children: children
        )
    }

    static func report(
        _ outcome: ScenarioReport.Outcome = .passed,
        exit: ExitCode = .done,
        lost: Int = 0,
        unavailableMS: Int? = 8_421,
        steps: [StepResult],
        phases: [ScenarioReport.Phase] = [],
        error: KilnError? = nil
    ) throws -> ScenarioReport {
        let web = try Name("web")
        let faults = (0..<lost).map { (Acknowledgement(number: UInt64($0 + 1), checksum: 0), LedgerFault.lost) }
        let finding = LedgerFinding(
            acknowledged: 412,
            faults: Dictionary(uniqueKeysWithValues: faults),
            unacknowledged: 1
        )
        return ScenarioReport(
            kiln: "1.0",
            scenario: try Name("keeps-data"),
            lab: try Name("keeps-data-1a2b"),
            outcome: outcome,
            exit: exit,
            ledgers: [LedgerResult(name: web, server: web, finding: finding, times: [:], steps: [], facts: nil)],
            unavailableMS: unavailableMS,
            steps: steps,
            servers: [],
            phases: phases,
            error: error.map { .init($0) },
            evidence: nil
        )
    }

    static func phase(
        _ phase: String,
        generation: Int = 1,
        _ start: Int,
        _ ms: Int,
        failed: Bool = false
    ) throws -> ScenarioReport.Phase {
        .init(
            server: try Name("web"),
            operation: "generation \(generation)",
            phase: phase,
            startMS: start,
            ms: ms,
            failed: failed
        )
    }
}
