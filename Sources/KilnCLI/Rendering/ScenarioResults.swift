import KilnModel
import KilnScenarios

/// A scenario's report.
struct ScenarioResult: Renderable {
    let report: ScenarioReport
    let isColored: Bool

    var payload: ScenarioReport { report }
    var human: HumanView { .text(ReportText(report, color: isColored).text) }
}

/// What came of several scenarios.
struct RunResults: Renderable {
    let reports: [ScenarioReport]
    /// How many were not begun.
    let left: Int
    let isColored: Bool

    struct Payload: Encodable {
        let runs: [ScenarioReport]
        let passed: Int
        let failed: Int
        /// How many were not begun.
        let skipped: Int
        let exit: KilnModel.ExitCode
    }

    private var passed: Int { reports.count { $0.outcome == .passed } }

    /// Lost data decides; else the first that did not pass.
    ///
    /// What was left out though nothing failed was interrupted.
    var exit: KilnModel.ExitCode {
        let exits = reports.map(\.exit).filter { $0 != .done }
        return exits.first { $0 == .dataLoss } ?? exits.first ?? (left > 0 ? .interrupted : .done)
    }

    var payload: Payload {
        Payload(runs: reports, passed: passed, failed: reports.count - passed, skipped: left, exit: exit)
    }

    var human: HumanView {
        let texts = reports.map { ReportText($0, color: isColored).text }
        let rows = reports.map { "  \($0.outcome.rawValue)  \($0.title)\n" }.joined()
        let counts = "\(passed) passed, \(reports.count - passed) not" + (left == 0 ? "" : ", \(left) not begun")
        return .text(texts.joined(separator: "\n") + "\n" + rows + counts + "\n")
    }
}
