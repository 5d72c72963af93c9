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
            isCanaryFirst: step.isCanaryFirst
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
            (report, gap) = try await measured(server, body)
        } catch let error as KilnError where error.code == .canaryFailed && expected == .aborted {
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

    private func measured(
        _ server: Name,
        _ body: @escaping @Sendable () async throws -> ReplacementReport
    ) async throws -> (ReplacementReport, Duration?) {
        guard let target = try await availabilityTarget(server) else { return (try await body(), nil) }
        return try await AvailabilityMeter(target, network: network).measure(body)
    }

    private func availabilityTarget(_ server: Name) async throws -> AvailabilityMeter.Target? {
        let ports = try await engine.status(id(server)).ports
        for check in scenario.lab.servers[server]?.ready ?? [] {
            if case .http(let probe) = check.probe, let port = ports[probe.port] {
                return AvailabilityMeter.Target(probe, port: port.host, timeout: check.timeout)
            }
        }
        return nil
    }
}
