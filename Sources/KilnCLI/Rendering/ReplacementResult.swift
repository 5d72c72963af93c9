import KilnEngine
import KilnModel

/// What became of a replacement.
struct ReplacementResult: Renderable {
    let report: ReplacementReport

    struct Payload: Encodable {
        let report: ReplacementReport
        let exit: KilnModel.ExitCode

        private enum CodingKeys: String, CodingKey {
            case exit, milliseconds
            case millisecondsBack = "milliseconds_back"
        }

        func encode(to encoder: any Encoder) throws {
            try report.encode(to: encoder)
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(report.milliseconds, forKey: .milliseconds)
            try container.encode(report.millisecondsBack, forKey: .millisecondsBack)
            try container.encode(exit, forKey: .exit)
        }
    }

    var payload: Payload { Payload(report: report, exit: report.exit) }

    var human: HumanView {
        let back = report.millisecondsBack.flatMap { $0 == 0 ? nil : $0 }.map {
            ", of which the way back \(ProgressLines.seconds(.milliseconds($0)))"
        }
        let total = ProgressLines.seconds(.milliseconds(report.milliseconds)) + (back ?? "")
        // A first machine follows nothing.
        let how = report.from == nil ? "" : "\(report.strategy.rawValue), "
        var lines = ["\(report.server): \(sentence) (\(how)\(total))"]
        if let turn = report.turn {
            lines.append("why: \(turn.step.rawValue) failed: \(ConsoleText.singleLine(turn.reason)) [\(turn.code)]")
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
        if let evidence = report.evidence { lines.append("evidence: \(evidence)") }
        lines += report.discarded.map {
            "discarded: what was written since is kept as the retained volume \($0); see 'kiln volume list'"
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
