import KilnModel

/// Runs as GitHub Actions shows them: annotations at the lines of files, and a summary in Markdown.
public struct GitHubReport: Sendable {
    /// How many annotations are made; GitHub shows ten of a step.
    private static let mostAnnotations = 10
    /// How many runs the summary lists; GitHub takes one megabyte.
    private static let mostRuns = 200

    private let reports: [ScenarioReport]

    /// The reports of runs.
    public init(_ reports: [ScenarioReport]) { self.reports = reports }

    // MARK: - Annotations

    /// A workflow command for each run that did not pass, a line each, with a final newline; empty where all passed.
    public var annotations: String {
        reports.filter { $0.outcome != .passed }.prefix(Self.mostAnnotations).map { annotation($0) + "\n" }.joined()
    }

    private func annotation(_ report: ScenarioReport) -> String {
        let failed = StepRows.firstFailure(report.steps) ?? StepRows.firstFailure(report.finally)
        let message = PageText.block(failed?.detail ?? report.error?.message ?? report.outcome.rawValue, 2_000)
        var properties = ["title=\(GitHubReport.property(PageText.line(report.title, 200)))"]
        if let place = failed?.place {
            let file = GitHubReport.property(PageText.line(place.file, 300))
            properties = ["file=\(file)", "line=\(place.line)", "col=\(place.column)"] + properties
        }
        return "::error \(properties.joined(separator: ","))::\(GitHubReport.value(message))"
    }

    private static func value(_ text: String) -> String {
        text.replacing("%", with: "%25").replacing("\r", with: "%0D").replacing("\n", with: "%0A")
    }

    private static func property(_ text: String) -> String {
        value(text).replacing(":", with: "%3A").replacing(",", with: "%2C")
    }

    // MARK: - Summary

    /// The summary, with a final newline.
    public var summary: String {
        let passed = reports.count { $0.outcome == .passed }
        let rows = reports.prefix(Self.mostRuns).map(row)
        let more = reports.count - rows.count
        let lines =
            [
                "## kiln: \(passed) of \(reports.count) passed", "", "| | run | verdict | longest gap | took |",
                "|---|---|---|---|---|",
            ]
            + rows + (more > 0 ? ["", "and \(more) more"] : [])
        return lines.map { $0 + "\n" }.joined()
    }

    private func row(_ report: ScenarioReport) -> String {
        let verdict = RunVerdict(RunHistory(report))
        let took = (report.steps + report.finally).map(\.endMS).max() ?? 0
        let cells = [
            verdict.tone.mark, GitHubReport.markdown(PageText.line(report.title)),
            GitHubReport.markdown(PageText.line(verdict.sentence, 300)),
            report.unavailableMS.map(ReportText.time) ?? "not measured", ReportText.time(took),
        ]
        return "| " + cells.joined(separator: " | ") + " |"
    }

    /// A text on one line that Markdown shows as it is.
    static func markdown(_ text: String) -> String {
        var escaped = ""
        for character in text {
            switch character {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            // A mention or a reference would lead to somebody.
            case "@": escaped += "&#64;"
            case "#": escaped += "&#35;"
            case "\\", "`", "*", "_", "{", "}", "[", "]", "(", ")", "!", "|", "~", "$": escaped += "\\\(character)"
            default: escaped.append(character)
            }
        }
        // An address would become a link.
        return escaped.replacing("://", with: ":&#47;&#47;")
    }
}
