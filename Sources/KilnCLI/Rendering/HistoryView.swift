import Foundation
import KilnModel

/// The life of a server.
struct HistoryView: Renderable {
    let server: ServerID
    let history: ServerHistory

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
            let outcome: Outcome?
            let steps: [CompletedStep]
            let turn: TurnBack?
            let reason: String?
        }

        let server: ServerID
        let current: Generation?
        let operations: [Operation]
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
                    outcome: replacement.outcome,
                    steps: replacement.completed,
                    turn: replacement.turn,
                    reason: replacement.reason
                )
            }
        )
    }

    var human: HumanView {
        let rows = history.operations.map { operation in
            let replacement = operation.replacement
            return [
                String(replacement.intent.number), operation.began.formatted(.iso8601),
                replacement.intent.from.map { "\($0) → \(replacement.intent.to)" } ?? "→ \(replacement.intent.to)",
                replacement.intent.image, replacement.outcome?.rawValue ?? "open",
                ProgressLines.seconds(.milliseconds(replacement.completed.map(\.milliseconds).reduce(0, +))),
                explanation(replacement),
            ]
        }
        return .table(
            TextTable(header: ["no", "began", "gen", "image", "outcome", "took", "why"], rows: rows),
            empty: "nothing has happened to \(server) yet"
        )
    }

    private func explanation(_ replacement: Replacement) -> String {
        if let turn = replacement.turn { return "\(turn.step.rawValue): \(turn.reason)" }
        if replacement.outcome == nil { return "next step: \(replacement.next?.rawValue ?? "none")" }
        return replacement.reason ?? ""
    }
}
