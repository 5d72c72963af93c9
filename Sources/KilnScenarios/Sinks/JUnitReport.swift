import KilnModel

/// Runs as JUnit XML, which CI systems read: a suite for each run, a case for each step that holds no others.
public struct JUnitReport: Sendable {
    private struct Case {
        let name: String
        let step: StepResult?
        let outcome: ScenarioReport.Outcome
        let message: String
    }

    private let reports: [ScenarioReport]

    /// The reports of runs.
    public init(_ reports: [ScenarioReport]) { self.reports = reports }

    /// The document, with a final newline.
    public var xml: String {
        let suites = reports.map { (report: $0, cases: JUnitReport.cases(of: $0)) }
        let all = suites.flatMap(\.cases)
        let time = reports.map(JUnitReport.milliseconds).reduce(0, +)
        var lines = ["<?xml version=\"1.0\" encoding=\"UTF-8\"?>"]
        lines.append("<testsuites name=\"kiln\" \(JUnitReport.counts(all)) time=\"\(JUnitReport.seconds(time))\">")
        for suite in suites { lines += JUnitReport.lines(of: suite.report, suite.cases) }
        return (lines + ["</testsuites>"]).map { $0 + "\n" }.joined()
    }

    // MARK: - Cases

    private static func cases(of report: ScenarioReport) -> [Case] {
        let cases = (report.steps + report.finally).flatMap { JUnitReport.cases(of: $0, below: "") }
        let hasFailed = cases.contains { $0.outcome == .failed || $0.outcome == .error }
        // What went wrong outside of all steps is a case of its own, or nobody would see it.
        guard let error = report.error, !hasFailed else { return cases }
        let message = ([error.message] + [error.hint].compactMap { $0.map { "next: \($0)" } }).joined(separator: "\n")
        return cases + [Case(name: "the run", step: nil, outcome: .error, message: message)]
    }

    private static func cases(of step: StepResult, below parent: String) -> [Case] {
        let name = PageText.line(step.name, 200)
        let path = parent.isEmpty ? name : "\(parent) › \(name)"
        let inner = step.children.flatMap { cases(of: $0, below: path) }
        // A step that holds others is a case only where none of them tells why it failed.
        let isTold = inner.contains { $0.outcome == .failed || $0.outcome == .error }
        guard inner.isEmpty || StepRows.isBad(step) && !isTold else { return inner }
        let own = Case(name: "\(step.id) \(path)", step: step, outcome: step.outcome, message: step.detail ?? "")
        return inner + [own]
    }

    // MARK: - Lines

    private static func lines(of report: ScenarioReport, _ cases: [Case]) -> [String] {
        let title = XMLText.escaped(PageText.line(report.title, 200))
        let begin = "  <testsuite name=\"\(title)\" \(counts(cases)) time=\"\(seconds(milliseconds(of: report)))\">"
        let properties = ["lab": report.lab.text, "kiln": report.kiln, "outcome": report.outcome.rawValue]
            .sorted { $0.key < $1.key }
            .map { "      <property name=\"\($0.key)\" value=\"\(XMLText.escaped(PageText.line($0.value, 200)))\"/>" }
        let inner = cases.flatMap { lines(of: $0, classname: title) }
        return [begin, "    <properties>"] + properties + ["    </properties>"] + inner + ["  </testsuite>"]
    }

    private static func lines(of found: Case, classname: String) -> [String] {
        let place = found.step.map { (file: XMLText.escaped(PageText.line($0.place.file, 300)), line: $0.place.line) }
        let named = "name=\"\(XMLText.escaped(found.name))\" classname=\"\(classname)\""
        let placed = place.map { " file=\"\($0.file)\" line=\"\($0.line)\"" } ?? ""
        let begin = "    <testcase \(named)\(placed) time=\"\(seconds(found.step?.ms ?? 0))\""
        let body = body(of: found)
        return body.isEmpty ? [begin + "/>"] : [begin + ">"] + body.map { "      " + $0 } + ["    </testcase>"]
    }

    private static func body(of found: Case) -> [String] {
        let text = PageText.block(found.message, 8_000)
        let message = XMLText.escaped(PageText.first(text, 300))
        let place =
            found.step.map { "\n\(PageText.line($0.place.file, 300)):\($0.place.line):\($0.place.column)" } ?? ""
        let whole = XMLText.escaped(text + place)
        switch found.outcome {
        case .passed: return text.isEmpty ? [] : ["<system-out>\(whole)</system-out>"]
        case .skipped: return ["<skipped message=\"\(message)\"/>"]
        case .failed: return ["<failure message=\"\(message)\" type=\"failed\">\(whole)</failure>"]
        case .error: return ["<error message=\"\(message)\" type=\"error\">\(whole)</error>"]
        }
    }

    private static func counts(_ cases: [Case]) -> String {
        func count(_ outcome: ScenarioReport.Outcome) -> Int { cases.count { $0.outcome == outcome } }
        return
            "tests=\"\(cases.count)\" failures=\"\(count(.failed))\" errors=\"\(count(.error))\" skipped=\"\(count(.skipped))\""
    }

    private static func milliseconds(of report: ScenarioReport) -> Int {
        (report.steps + report.finally).map(\.endMS).max() ?? 0
    }

    private static func seconds(_ milliseconds: Int) -> String {
        let digits = String(max(0, milliseconds % 1000))
        return "\(milliseconds / 1000).\(String(repeating: "0", count: 3 - digits.count))\(digits)"
    }
}
