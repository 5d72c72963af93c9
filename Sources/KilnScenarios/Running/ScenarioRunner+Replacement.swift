import Foundation
import KilnEngine
import KilnModel

extension ScenarioRunner {
    func replace(_ step: Step.Replacement, _ run: inout RunState) async throws -> String? {
        let options = ReplaceOptions(
            image: step.image,
            strategy: step.strategy,
            dataOnRevert: step.dataOnRevert,
            forceStop: step.forceStop,
            rehearsesFirst: step.rehearsesFirst
        )
        let (engine, id) = (engine, id(step.server))
        return try await judged(step.server, step.outcome, &run) { try await engine.replace(id, options) }
    }

    func rollback(_ step: Step.Rollback, _ run: inout RunState) async throws -> String? {
        let (engine, id) = (engine, id(step.server))
        return try await judged(step.server, step.outcome, &run) { try await engine.rollback(id, to: step.generation) }
    }

    private func judged(
        _ server: Name,
        _ expected: Step.Outcome,
        _ run: inout RunState,
        _ body: @escaping @Sendable () async throws -> ReplacementReport
    ) async throws -> String? {
        let (report, gap): (ReplacementReport, Duration?)
        do {
            (report, gap) = try await Unavailability.measured(of: id(server), engine, network, body)
        } catch let error as KilnError where error.code == .rehearsalFailed && expected == .aborted {
            // A rehearsal that failed leaves no report: the replacement never began.
            return error.message
        }
        if let gap { run.unavailable = max(run.unavailable ?? .zero, gap) }
        run.servers[server] = try await engine.status(id(server))
        guard report.outcome.rawValue == expected.rawValue else {
            let reason = report.turn?.reason ?? report.reason ?? "nothing stood in its way"
            throw Unmet(
                "\(server): a replacement that is \(expected.rawValue) expected, \(report.outcome.rawValue) found: \(reason)",
                hint: report.evidence.map { "what the new machine left behind is in \($0)" },
                exit: report.outcome == .committed ? .unmet : report.exit
            )
        }
        return gap.map { "unavailable \(Int($0 / .milliseconds(1))) ms" }
    }
}
