import KilnEngine
import KilnModel
import KilnScenarios

/// A rollout, as it stands or ended.
struct RolloutResult: Renderable {
    let report: RolloutReport
    /// The phases of all members as they passed, where this process has seen them.
    var phases: [ScenarioReport.Phase] = []
    /// What users saw of it; nothing where it was not measured.
    var seen: AvailabilityResult?
    /// Why it was not measured, where something could have been seen.
    var unmeasured: String?

    struct Payload: Encodable {
        let report: RolloutReport
        let seen: AvailabilityResult?

        private enum CodingKeys: String, CodingKey { case availability }

        func encode(to encoder: any Encoder) throws {
            try report.encode(to: encoder)
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encodeIfPresent(seen, forKey: .availability)
        }
    }

    var payload: Payload { Payload(report: report, seen: seen) }

    var human: HumanView {
        let chart = PhaseChart(phases).lines + (phases.isEmpty ? [] : [""])
        return .lines(chart + users + ["\(report.server): \(report.sentence)"] + why + next)
    }

    private var users: [String] {
        if let seen { return [seen.description] }
        return unmeasured.map { ["note: what users saw was not measured: \($0)"] } ?? []
    }

    private var why: [String] {
        guard let failure = report.failure else { return [] }
        let member = failure.ordinal.map { "; 'kiln history \(report.server).\($0)' tells more" } ?? ""
        return ["why: \(ConsoleText.singleLine(failure.reason)) (\(failure.code))\(member)"]
    }

    private var next: [String] {
        switch (report.standing, report.outcome) {
        case (.paused, nil):
            [
                "next: " + RolloutReport.waysOn(report.server, report.direction, hasFailed: report.failure != nil)
            ]
        case (.interrupted, nil): ["next: 'kiln recover \(report.server)' takes it up"]
        case (_, .degraded):
            ["next: 'kiln rollout undo \(report.server)' takes back what is new"]
        default: []
        }
    }
}

/// All rollouts of a server.
struct RolloutList: Renderable {
    let server: ServerID
    let reports: [RolloutReport]

    struct Payload: Encodable {
        let rollouts: [RolloutReport]
    }

    var payload: Payload { Payload(rollouts: reports) }

    var human: HumanView {
        let rows = reports.map { report in
            [
                "\(report.id)", report.sentence, report.target.image.short,
                report.failure.map { ConsoleText.singleLine($0.reason) } ?? "",
            ]
        }
        return .table(
            TextTable(header: ["rollout", "how it ended", "image", "why"], rows: rows),
            empty: "\(server) has had no rollout"
        )
    }
}
