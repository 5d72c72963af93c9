import Foundation
import KilnEngine

/// A decision of an autopilot, as soon as it is made.
struct AutopilotLineView: Renderable {
    let line: AutopilotLine

    var payload: AutopilotLine { line }

    var human: HumanView {
        let prefix = line.isDryRun ? "dry run: " : ""
        let time = line.time.formatted(.iso8601)
        return .lines([ConsoleText.singleLine("\(time) \(line.member): \(prefix)\(line.text)")])
    }
}

/// All decisions of one look.
struct AutopilotResult: Renderable {
    let lines: [AutopilotLine]

    struct Payload: Encodable {
        let decisions: [AutopilotLine]
    }

    var payload: Payload { Payload(decisions: lines) }

    var human: HumanView { .lines(lines.map { "\($0.member): \($0.text)" }) }
}
