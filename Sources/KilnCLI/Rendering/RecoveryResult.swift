import KilnEngine
import KilnModel

/// What recovering would do.
struct RecoveryPlans: Renderable {
    struct Plan: Encodable, Sendable {
        let server: MemberID
        let plan: String
    }

    let round: ServerRound<Plan>

    var payload: ServerRound<Plan>.Payload { round.payload("plans") }

    var human: HumanView {
        if round.values.isEmpty, !round.failures.isEmpty { return .lines([]) }
        let rows = round.values.map { [$0.server.description, $0.plan] }
        return .table(TextTable(header: ["server", "next"], rows: rows), empty: "no servers")
    }
}

/// What recovering did.
struct RecoveryResult: Renderable {
    let round: ServerRound<ReplacementReport>

    var payload: ServerRound<ReplacementReport>.Payload { round.payload("recovered") }

    var human: HumanView {
        let lines = round.values.flatMap { report -> [String] in
            guard case .lines(let lines) = ReplacementResult(report: report).human else { return [] }
            return lines
        }
        return .lines(lines.isEmpty && round.failures.isEmpty ? ["nothing was interrupted"] : lines)
    }
}
