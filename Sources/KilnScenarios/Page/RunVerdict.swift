import KilnModel

/// A run in a sentence, and in the few values that come first.
struct RunVerdict {
    let run: RunHistory

    init(_ run: RunHistory) { self.run = run }

    private var report: ScenarioReport { run.report }

    var tone: PageSection.Tone {
        switch run.end {
        case .ended: report.outcome == .passed ? .good : .bad
        case .going: .open
        case .interrupted: .bad
        }
    }

    /// How it ended, and what it means.
    var sentence: String {
        switch run.end {
        case .going: return "Goes on: \(lastStep)"
        case .interrupted: return "Interrupted: the run was killed, \(lastStep)"
        case .ended: break
        }
        switch (report.outcome, report.exit) {
        case (.passed, _): return (["Passed"] + data).joined(separator: ": ")
        case (_, .dataLoss): return "Lost data: \(data.first ?? cause)"
        case (_, .reverted): return "Reverted: \(cause)"
        // The cause is long, and stands below.
        case (_, .halted): return "Halted\(place): somebody has to decide what comes next"
        case (_, .interrupted): return "Interrupted: \(cause)"
        case (.error, _): return "Could not be carried out: \(cause)"
        default: return "Failed: \(cause)"
        }
    }

    private var place: String { StepRows.firstFailure(report.steps).map { " in step \($0.id)" } ?? "" }

    private var data: [String] {
        guard let ledger = report.ledger else { return [] }
        guard !ledger.isClean else {
            return ["all \(ledger.acknowledged) acknowledged records are there once and whole"]
        }
        return [
            "of \(ledger.acknowledged) acknowledged records \(ledger.lost) are lost, \(ledger.torn) torn, \(ledger.duplicated) doubled"
        ]
    }

    private var lastStep: String {
        var step = (report.steps + report.finally).last { $0.outcome != .skipped }
        while let inner = step?.children.last(where: { $0.outcome != .skipped }) { step = inner }
        return step.map { "in step \($0.id) '\(PageText.line($0.name, 80))'" } ?? "before its first step"
    }

    /// What went wrong first: that of the step at which the rest was given up.
    var cause: String {
        let failed = StepRows.firstFailure(report.steps) ?? StepRows.firstFailure(report.finally)
        if run.end == .ended, let detail = failed?.detail { return PageText.first(detail) }
        return report.error.map { PageText.first($0.message) } ?? failed.map { PageText.line($0.name) } ?? "none"
    }

    /// What comes first on the page.
    var tiles: [PageSection.Tile] {
        let took = (report.steps + report.finally).map(\.endMS).max() ?? 0
        let gap = report.unavailableMS
        return [
            lost,
            .init("gap", "Longest gap", gap.map(ReportText.time) ?? "not measured", gap == nil ? .open : .good),
            .init("took", "Took", ReportText.time(took)),
            .init("cause", "First cause", report.outcome == .passed ? "none" : cause, tone),
        ]
    }

    private var lost: PageSection.Tile {
        let ledgers = report.ledgers.map { ($0.verdict.acknowledged, $0.verdict.lost, $0.verdict.isClean) }
        let banks = report.banks.map { ($0.acknowledged, $0.lost, $0.isClean) }
        let all = ledgers + banks
        guard !all.isEmpty else { return .init("lost", "Lost", "not measured", .open) }
        let (acknowledged, lost) = all.reduce((0, 0)) { ($0.0 + $1.0, $0.1 + $1.1) }
        return .init("lost", "Lost", "\(lost) of \(acknowledged)", all.allSatisfy(\.2) ? .good : .bad)
    }
}
