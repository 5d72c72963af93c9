import KilnModel

/// A report as people read it, in at most 100 columns.
public struct ReportText: Sendable {
    private let report: ScenarioReport
    private let color: Bool

    /// A report with or without colour; without it where the output is no terminal or `NO_COLOR` is set.
    public init(_ report: ScenarioReport, color: Bool) {
        self.report = report
        self.color = color
    }

    /// The whole text, with a final newline.
    public var text: String {
        var lines = report.steps.flatMap { stepLines($0, depth: 0) }
        if !report.finally.isEmpty { lines += ["finally"] + report.finally.flatMap { stepLines($0, depth: 1) } }
        if !report.phases.isEmpty { lines += [""] + PhaseChart(report.phases).lines }
        lines.append("")
        if let error = report.error {
            lines += ReportText.quoted(error.message) + (error.hint.map { ["next: \($0)"] } ?? [])
        }
        if let milliseconds = report.unavailableMS { lines.append(ReportText.unavailable(milliseconds)) }
        if let evidence = report.evidence { lines.append("evidence in \(evidence)") }
        if let files = report.files { lines.append("files in \(files)") }
        if report.outcome != .passed, let seed = report.seed {
            lines.append("'kiln run' with '--seed \(seed)' repeats what was left to chance")
        }
        if let factor = report.timeoutScale, factor != 1 { lines.append("deadlines × \(TimeoutScale.words(factor))") }
        if report.isKept { lines.append("the lab \(report.lab) is kept; 'kiln down \(report.lab)' removes it") }
        if report.ledgers.count > 1 { lines += report.ledgers.map { "\($0.name): \(ReportText.verdict($0.verdict))" } }
        if let ledger = report.ledger { lines.append(ReportText.verdict(ledger)) }
        lines.append("\(report.title) \(painted(report.outcome.rawValue, report.outcome))")
        return lines.map { $0 + "\n" }.joined()
    }

    /// The verdict in one line, the same wherever it is shown.
    public static func verdict(_ ledger: LedgerVerdict) -> String {
        "acknowledged \(ledger.acknowledged), lost \(ledger.lost), torn \(ledger.torn), duplicated \(ledger.duplicated)"
    }

    /// How long nobody answered, the same wherever it is shown.
    public static func unavailable(_ milliseconds: Int) -> String { "unavailable for \(time(milliseconds))" }

    /// A step in at most 100 columns, those that it holds below it.
    private func stepLines(_ step: StepResult, depth: Int) -> [String] {
        let indent = String(repeating: "  ", count: min(depth, 12))
        let time = ReportText.left(step.outcome == .skipped ? "" : ReportText.time(step.ms), 8)
        let name = ReportText.right(indent + step.name, 60)
        let line = "\(name) \(time)  \(painted(step.outcome.rawValue, step.outcome))"
        let inner = step.children.flatMap { stepLines($0, depth: depth + 1) }
        // What a step says that holds others is what the one of them said that failed.
        let isTold = step.children.contains { $0.detail != nil && $0.detail == step.detail }
        let detail = isTold ? nil : step.detail
        return [line] + (detail.map { ReportText.quoted($0).map { "\(indent)    \($0)" } } ?? []) + inner
    }

    /// Lines that a guest may have written: none of them begins, or holds, what GitHub's runner takes for a command.
    static func quoted(_ text: String) -> [String] {
        text.split(separator: "\n").map { line in
            let isCommand = line.drop { $0.isWhitespace }.hasPrefix("::")
            return (isCommand ? "│ " : "") + line.replacing("##[", with: "# #[")
        }
    }

    private func painted(_ word: String, _ outcome: ScenarioReport.Outcome) -> String {
        guard color else { return word }
        let code =
            switch outcome {
            case .passed: 32
            case .failed, .error: 31
            case .skipped: 33
            }
        return "\u{1b}[\(code)m\(word)\u{1b}[0m"
    }

    /// `850 ms`, `12.3 s`, `2 m 05 s`.
    static func time(_ milliseconds: Int) -> String {
        guard milliseconds >= 1000 else { return "\(milliseconds) ms" }
        let tenths = milliseconds / 100
        guard tenths >= 1200 else { return "\(tenths / 10).\(tenths % 10) s" }
        let seconds = milliseconds / 1000
        return "\(seconds / 60) m \(seconds % 60 < 10 ? "0" : "")\(seconds % 60) s"
    }

    /// `text` cut or filled on the right to `width` characters.
    static func right(_ text: String, _ width: Int) -> String {
        let cut = text.count > width ? text.prefix(width - 1) + "…" : text[...]
        return cut + String(repeating: " ", count: width - cut.count)
    }

    /// `text` filled on the left to `width` characters.
    static func left(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }
}
