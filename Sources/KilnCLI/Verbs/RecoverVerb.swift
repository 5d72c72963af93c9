import ArgumentParser
import KilnEngine
import KilnModel

/// `kiln recover`: finishes or rolls back what an interrupted command left.
struct RecoverVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "recover",
        abstract: "Finish or roll back interrupted replacements.",
        discussion: "Every changing command does this first by itself; this one does nothing else."
    )

    @Argument(
        help: "The server; without it, all.",
        completion: .custom { _, _, prefix in KnownNames.current.servers(startingWith: prefix) }
    )
    var server: String?

    @Flag(help: "Only tell what would be done.")
    var dryRun = false

    @Option(
        help: ArgumentHelp(
            "What becomes of the data on the way back: keep or restore.",
            discussion: "Decides a replacement that halted because its data was found damaged. Needs a server.",
            valueName: "what"
        )
    )
    var data: DataOnRevert?

    @OptionGroup var global: GlobalOptions

    func validate() throws {
        guard data != nil else { return }
        if server == nil { throw ValidationError("--data decides for one server; name it") }
        if dryRun { throw ValidationError("--data decides something, and --dry-run does nothing; leave one out") }
    }

    func execute(_ session: Session) async throws -> Int32 {
        let engine = try await session.workspace().engine
        let servers = try server.map { [try engine.server(named: $0)] } ?? engine.servers()
        if dryRun {
            var plans: [RecoveryPlans.Plan] = []
            for id in servers { plans.append(.init(server: id, plan: try await engine.recoveryPlan(id))) }
            try session.show(RecoveryPlans(plans: plans))
            return 0
        }
        var reports: [ReplacementReport] = []
        // What an earlier one's turn has removed, such as its rehearsal, needs none.
        for id in servers where try server != nil || engine.servers().contains(id) {
            if let report = try await engine.recover(id, data: data) { reports.append(report) }
        }
        try session.show(RecoveryResult(reports: reports))
        // To have rolled back is what was asked for; only what still needs a person is a failure.
        return reports.contains { $0.outcome == .halted } ? KilnModel.ExitCode.halted.rawValue : 0
    }
}

/// What recovering would do.
struct RecoveryPlans: Renderable {
    struct Plan: Encodable {
        let server: ServerID
        let plan: String
    }

    let plans: [Plan]

    struct Payload: Encodable {
        let plans: [Plan]
    }

    var payload: Payload { Payload(plans: plans) }

    var human: HumanView {
        let rows = plans.map { [$0.server.description, $0.plan] }
        return .table(TextTable(header: ["server", "next"], rows: rows), empty: "no servers")
    }
}

/// What recovering did.
struct RecoveryResult: Renderable {
    let reports: [ReplacementReport]

    struct Payload: Encodable {
        let recovered: [ReplacementReport]
    }

    var payload: Payload { Payload(recovered: reports) }

    var human: HumanView {
        let lines = reports.flatMap { report -> [String] in
            guard case .lines(let lines) = ReplacementResult(report: report).human else { return [] }
            return lines
        }
        return .lines(lines.isEmpty ? ["nothing was interrupted"] : lines)
    }
}
