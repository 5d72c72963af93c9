import KilnModel

/// The steps of a run as a list; of very many all that did not pass come first, then the earliest.
struct StepRows {
    let report: ScenarioReport
    let measure: ReportPage.Measure

    init(_ report: ScenarioReport, _ measure: ReportPage.Measure) {
        self.report = report
        self.measure = measure
    }

    /// The rows, and what is said where some are left out.
    var shown: (rows: [PageSection.Row], notes: [String]) {
        let all = StepRows.flat(report.steps) + StepRows.flat(report.finally)
        let failed = all.indices.filter { StepRows.isBad(all[$0]) }.prefix(measure.failures)
        let others = all.indices.filter { !StepRows.isBad(all[$0]) }.prefix(measure.rows)
        let chosen = (failed + others).sorted()
        let left = all.count - chosen.count
        return (
            chosen.map { row(all[$0]) },
            left == 0 ? [] : ["\(left) more steps are not shown; 'kiln report --format json' has all"]
        )
    }

    /// The step whose failure ended the run: the innermost one.
    static func firstFailure(_ steps: [StepResult]) -> StepResult? {
        guard let step = steps.first(where: isBad) else { return nil }
        return firstFailure(step.children) ?? step
    }

    /// All steps in the order of the file, each before those that it holds.
    static func flat(_ steps: [StepResult]) -> [StepResult] { steps.flatMap { [$0] + flat($0.children) } }

    static func isBad(_ step: StepResult) -> Bool { step.outcome == .failed || step.outcome == .error }

    private func row(_ step: StepResult) -> PageSection.Row {
        let (tone, mark) =
            switch step.outcome {
            case .passed: (PageSection.Tone.good, "✓")
            case .failed: (.bad, "✗")
            case .error: (.bad, "!")
            case .skipped: (.open, "–")
            }
        let isBad = StepRows.isBad(step)
        return PageSection.Row(
            number: "\(step.id)",
            depth: min(step.id.depth, 4),
            rowMark: mark,
            rowTone: tone.rawValue,
            name: PageText.line(step.name),
            time: step.outcome == .skipped ? "not reached" : ReportText.time(step.ms),
            place: isBad ? "\(PageText.line(step.place.file)):\(step.place.line):\(step.place.column)" : "",
            detail: step.detail.map { isBad ? PageText.block($0) : PageText.line($0, 400) } ?? ""
        )
    }
}
