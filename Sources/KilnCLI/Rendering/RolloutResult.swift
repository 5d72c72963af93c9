import KilnEngine
import KilnModel

/// A rollout, as it stands or ended.
struct RolloutResult: Renderable {
    let report: RolloutReport

    var payload: RolloutReport { report }

    var human: HumanView { .lines(["\(report.server): \(report.sentence)"] + why + next) }

    private var why: [String] {
        guard let failure = report.failure else { return [] }
        return ["why: \(ConsoleText.singleLine(failure.reason)) (\(failure.code))"]
    }

    private var next: [String] {
        switch (report.standing, report.outcome) {
        case (.paused, nil):
            [
                "next: 'kiln rollout promote \(report.server)' lets it go on, 'kiln rollout abort \(report.server)' takes back "
                    + "what is new"
            ]
        case (.interrupted, nil): ["next: 'kiln recover \(report.server)' takes it up"]
        case (_, .degraded):
            ["next: 'kiln history' of a member tells more; 'kiln rollout undo \(report.server)' takes back"]
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
