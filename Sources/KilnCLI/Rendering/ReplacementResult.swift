import KilnEngine
import KilnModel
import KilnScenarios
import KilnStore

/// What became of a replacement, and what was seen of it from outside.
struct ReplacementResult: Renderable {
    let report: ReplacementReport
    /// The phases as they passed, where this process has seen them.
    var phases: [ScenarioReport.Phase] = []
    /// The longest time without an answer; nothing where it was not measured.
    var unavailable: Duration?
    /// Why it was not measured, where something could have been seen.
    var unmeasured: String?

    struct Payload: Encodable {
        let report: ReplacementReport
        let exit: KilnModel.ExitCode
        let unavailableMS: Int?

        private enum CodingKeys: String, CodingKey {
            case exit, milliseconds
            case millisecondsBack = "milliseconds_back"
            case unavailableMS = "unavailable_ms"
        }

        func encode(to encoder: any Encoder) throws {
            try report.encode(to: encoder)
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(report.milliseconds, forKey: .milliseconds)
            try container.encode(report.millisecondsBack, forKey: .millisecondsBack)
            try container.encode(exit, forKey: .exit)
            try container.encode(unavailableMS, forKey: .unavailableMS)
        }
    }

    private var unavailableMS: Int? { unavailable.map { Int($0 / .milliseconds(1)) } }

    var payload: Payload { Payload(report: report, exit: report.exit, unavailableMS: unavailableMS) }

    var human: HumanView {
        let total = ProgressLines.seconds(.milliseconds(report.milliseconds)) + wayBack
        // A first machine follows nothing.
        let how = report.from == nil ? "" : "\(report.strategy.rawValue), "
        var lines = PhaseChart(phases).lines + (phases.isEmpty ? [] : [""])
        if let unavailableMS {
            lines.append(ReportText.unavailable(unavailableMS))
        } else if let unmeasured {
            lines.append("note: how long it was unavailable was not measured: \(unmeasured)")
        }
        lines.append("\(report.server): \(sentence) (\(how)\(total))")
        if let turn = report.turn {
            let why = ConsoleText.singleLine(report.why ?? turn.reason)
            lines.append("why: \(turn.step.rawValue) failed: \(why) [\(turn.code)]")
            lines += turn.cause.map(ConsoleText.lines) ?? []
            // One that halted has its own ways out.
            if let hint = turn.hint, report.outcome != .halted { lines.append("next: \(ConsoleText.singleLine(hint))") }
        } else if let reason = report.reason {
            let label = report.outcome == .committed ? "note" : "why"
            lines.append("\(label): \(ConsoleText.singleLine(reason))")
        }
        lines += report.steps.filter { $0.restarts != nil }.map {
            "note: in \($0.step.rawValue) a kernel crashed before init, maybe by a fault of the emulator, and was booted again"
        }
        if let launch = report.launch { lines.append("note: its machine was \(ConsoleText.singleLine(launch.text))") }
        lines += standing
        if let evidence = report.evidence { lines.append("evidence: \(evidence)") }
        lines += report.discarded.map {
            "retained: what was written since, as the volume \($0); see 'kiln volume list'"
        }
        if report.outcome == .halted {
            lines.append("next: try the way back again with 'kiln recover \(report.server)'")
            if report.from != nil, report.steps.contains(where: { $0.step == .handover }) {
                let command = "kiln recover \(report.server) --data restore"
                lines.append("or with the volumes as they were before the replacement: '\(command)'")
            }
            lines.append("or give the machines up and keep the volumes with 'kiln down \(report.server.lab)'")
        }
        return .lines(lines)
    }

    // What serves now, and did not pass all that it might have.
    private var standing: [String] {
        guard let standing = report.standing, let image = report.image else { return [] }
        let title = "\(image.name):\(image.version)"
        let revoked = standing.revoked.map { "note: its image \(title) is revoked: \(ConsoleText.singleLine($0))" }
        let test = "'kiln image test \(title)'"
        let tests: String? =
            switch standing.tests {
            case .passed: nil
            case .untested: "note: its image \(title) is untested: \(test)"
            case .flaky: "note: the tests of its image \(title) were flaky: \(test)"
            case .failed: "note: its image \(title) failed its tests: \(test)"
            }
        let configuration =
            standing.configuration == .untested
            ? "note: its configuration is untested: 'kiln replace \(report.server) --rehearse' tries it" : nil
        return [revoked, tests, configuration].compactMap(\.self)
    }

    private var wayBack: String {
        guard let back = report.millisecondsBack, back > 0 else { return "" }
        return ", of which the way back \(ProgressLines.seconds(.milliseconds(back)))"
    }

    private var sentence: String {
        let old = report.from.map { "generation \($0)" }
        switch report.outcome {
        case .committed: return "generation \(report.to) serves" + (old.map { "; \($0) is gone" } ?? "")
        case .aborted: return "aborted; " + (old.map { "\($0) serves on, unchanged" } ?? "nothing was made")
        case .reverted: return "reverted; " + (old.map { "\($0) serves again" } ?? "nothing was kept but the volumes")
        case .halted: return "halted; nothing was deleted"
        }
    }
}
