import Foundation
import KilnEngine
import KilnModel

/// The life of a server.
struct HistoryView: Renderable {
    let server: MemberID
    let history: ServerHistory
    /// What autopilots did to it.
    var autopilot: [AutopilotRecord] = []
    /// How the machines of generations came to run, where they were to be clones.
    var launches: [Generation: LaunchRecord] = [:]

    struct Payload: Encodable {
        struct Operation: Encodable {
            let number: Int
            let began: Date
            let latest: Date
            let pid: Int32
            let from: Generation?
            let to: Generation
            let image: String
            let digest: ImageDigest
            let strategy: Strategy
            let milliseconds: Int
            let outcome: Outcome?
            let steps: [CompletedStep]
            let turn: TurnBack?
            let reason: String?
            /// Nothing where its machine was to boot in any case.
            let launch: LaunchRecord?
        }

        let server: MemberID
        let current: Generation?
        let operations: [Operation]
        /// Nothing where there were none.
        let crashes: [ServerHistory.Crash]?
        /// Nothing where no autopilot ever did anything.
        let autopilot: [Decision]?

        struct Decision: Encodable {
            let time: Date
            let pid: Int32
            let decision: String
            let text: String
        }
    }

    var payload: Payload {
        Payload(
            server: server,
            current: history.current,
            operations: history.operations.map { operation in
                let replacement = operation.replacement
                return Payload.Operation(
                    number: replacement.intent.number,
                    began: operation.began,
                    latest: operation.latest,
                    pid: operation.pid,
                    from: replacement.intent.from,
                    to: replacement.intent.to,
                    image: replacement.intent.image,
                    digest: replacement.intent.digest,
                    strategy: replacement.intent.strategy,
                    milliseconds: operation.milliseconds,
                    outcome: replacement.outcome,
                    steps: replacement.completed,
                    turn: replacement.turn,
                    reason: replacement.reason,
                    launch: launches[replacement.intent.to]
                )
            },
            crashes: history.crashes.isEmpty ? nil : history.crashes,
            autopilot: autopilot.isEmpty ? nil : autopilot.map(decision)
        )
    }

    var human: HumanView {
        let table = TextTable(
            header: ["no", "began", "gen", "image", "strategy", "outcome", "took", "why"],
            rows: history.operations.map(row)
        )
        guard let header = table.lines.first, !table.rows.isEmpty else {
            return .lines(["nothing has happened to \(server) yet"])
        }
        let lines = zip(table.lines.dropFirst(), history.operations).flatMap { line, operation in
            [line] + details(operation.replacement)
        }
        return .lines([header] + lines + crashes + heals)
    }

    // What was done in an operation, and how its machine came to run.
    private func details(_ replacement: Replacement) -> [String] {
        let steps = replacement.completed.map(duration)
        let way = launches[replacement.intent.to].map { "    " + ConsoleText.singleLine($0.text) }
        return (steps.isEmpty ? [] : ["    ms: " + steps.joined(separator: ", ")]) + [way].compactMap(\.self)
    }

    private func decision(_ record: AutopilotRecord) -> Payload.Decision {
        let line = record.event.line
        return Payload.Decision(time: record.time, pid: record.pid, decision: line.decision, text: line.text)
    }

    private var heals: [String] {
        autopilot.map { record in
            ConsoleText.singleLine("\(record.time.formatted(.iso8601)): autopilot: \(record.event.line.text)")
        }
    }

    private var crashes: [String] {
        history.crashes.map { crash in
            "\(crash.time.formatted(.iso8601)): generation \(crash.generation?.description ?? "-") was started, and booted again "
                + "after a crash before init, maybe by a fault of the emulator"
        }
    }

    private func row(_ operation: ServerHistory.Operation) -> [String] {
        let replacement = operation.replacement
        let intent = replacement.intent
        return [
            String(intent.number), operation.began.formatted(.iso8601),
            intent.from.map { "\($0) → \(intent.to)" } ?? "→ \(intent.to)", intent.image,
            intent.from == nil ? "-" : intent.strategy.rawValue, replacement.outcome?.rawValue ?? "open",
            // The journal's times are whole seconds.
            "\(operation.milliseconds / 1000) s", explanation(replacement),
        ]
    }

    private func duration(_ step: CompletedStep) -> String {
        "\(step.step.rawValue) \(step.milliseconds)" + (step.restarts == nil ? "" : " (booted again after a crash)")
    }

    private func explanation(_ replacement: Replacement) -> String {
        if let turn = replacement.turn {
            let why = replacement.outcome == .reverted ? replacement.reason : nil
            return "\(turn.step.rawValue): \(why ?? turn.reason)"
        }
        if replacement.outcome == nil { return "next step: \(replacement.next?.rawValue ?? "none")" }
        return replacement.reason ?? ""
    }
}

extension ServerHistory.Operation {
    // By the wall clock, which may have been set back: the step that failed has no time of its own in the journal.
    fileprivate var milliseconds: Int { max(0, Int((latest.timeIntervalSince(began) * 1000).rounded())) }
}
