import ArgumentParser
import KilnEngine
import KilnModel

/// `kiln recover`: finishes or rolls back what an interrupted command left.
struct RecoverVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "recover",
        abstract: "Finish or roll back interrupted replacements.",
        discussion: """
            Every changing command does this first by itself; this one does nothing else. Without a server, one that can't \
            be recovered keeps no other from it; the exit code is the worst, with 13 before 12 before the first of the rest.
            """
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
        if server != nil {
            for id in servers {
                let report = try await engine.recover(id, data: data)
                try session.show(RecoveryResult(reports: report.map { [$0] } ?? []))
            }
            // To have rolled back is what was asked for; what still needs a person was thrown.
            return 0
        }
        let result = await RecoveryResult.recovering(servers) { id in
            // What an earlier one's turn has removed, such as its rehearsal, needs none.
            try engine.servers().contains(id) ? try await engine.recover(id) : nil
        }
        return try result.conclude(session)
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
    /// A server that could not be recovered.
    struct Failure: Sendable {
        let server: ServerID
        let report: ErrorReport
    }

    var reports: [ReplacementReport] = []
    var failures: [Failure] = []

    /// Recovers one server after the other; only an interruption keeps the later ones from their turn.
    static func recovering(
        _ servers: [ServerID],
        by recover: (ServerID) async throws -> ReplacementReport?
    ) async -> RecoveryResult {
        var result = RecoveryResult()
        for id in servers {
            do {
                if let report = try await recover(id) { result.reports.append(report) }
            } catch {
                result.failures.append(Failure(server: id, report: ErrorReport(error)))
                if error is CancellationError { break }
            }
        }
        return result
    }

    /// The failure that decides the exit code: what needs a person most, and the first of several that are alike.
    var worst: ErrorReport? {
        let reports = failures.map(\.report)
        // Interrupted: the rest is not known.
        let order: [KilnModel.ExitCode] = [.interrupted, .halted, .blocked]
        return order.lazy.compactMap { exit in reports.first { $0.error.exit == exit } }.first ?? reports.first
    }

    /// Shows everything, the errors on standard error; returns the exit status.
    func conclude(_ session: Session) throws -> Int32 {
        try session.show(self)
        for failure in failures { session.errors.lines(failure.lines(session.terminal.style)) }
        return (worst?.error.exit ?? .done).rawValue
    }

    struct Payload: Encodable {
        let recovered: [ReplacementReport]
        let failed: [Failure]
        let worst: ErrorReport?

        private enum CodingKeys: String, CodingKey { case recovered, failed }

        // An error stands where that of every command stands.
        func encode(to encoder: any Encoder) throws {
            try worst?.encode(to: encoder)
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(recovered, forKey: .recovered)
            try container.encode(failed, forKey: .failed)
        }
    }

    var payload: Payload { Payload(recovered: reports, failed: failures, worst: worst) }

    var human: HumanView {
        let lines = reports.flatMap { report -> [String] in
            guard case .lines(let lines) = ReplacementResult(report: report).human else { return [] }
            return lines
        }
        return .lines(lines.isEmpty && failures.isEmpty ? ["nothing was interrupted"] : lines)
    }
}

extension RecoveryResult.Failure: Encodable {
    private enum CodingKeys: String, CodingKey { case server }

    func encode(to encoder: any Encoder) throws {
        try report.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(server, forKey: .server)
    }

    /// The lines for people, which say which server it is.
    func lines(_ style: Style) -> [String] {
        let lines = report.lines(style)
        return report.error.message.contains(server.description) ? lines : ["\(server) can't be recovered:"] + lines
    }
}
