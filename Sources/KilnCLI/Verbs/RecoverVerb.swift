import ArgumentParser
import KilnEngine
import KilnModel

/// `kiln recover`: finishes or rolls back what an interrupted command left.
struct RecoverVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "recover",
        abstract: "Finish or roll back interrupted replacements.",
        discussion: """
            Every command that changes a server does this first by itself; this one does nothing else. Without a server it \
            goes through all of them, also where one can't be recovered. The exit code is then the worst of them: 13, else \
            12, else the first of the rest.
            """
    )

    @Argument(
        help: "The server; without it, all.",
        completion: .servers
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
        let servers = try server.map { try engine.members(named: $0) } ?? engine.members()
        if dryRun {
            let round = await ServerRound.over(servers) { id in
                RecoveryPlans.Plan(server: id, plan: try await engine.recoveryPlan(id))
            }
            return try round.conclude(session, showing: RecoveryPlans(round: round))
        }
        if server != nil {
            var reports: [ReplacementReport] = []
            for id in servers { reports += [try await engine.recover(id, data: data)].compactMap(\.self) }
            // What is of all members goes on only where all were meant.
            if let whole = servers.first?.whole, servers == engine.members(of: whole),
                let rollout = try await engine.takeUpRollout(of: whole)
            {
                try session.show(RolloutResult(report: rollout))
                return rollout.exit.rawValue
            }
            try session.show(RecoveryResult(round: ServerRound(values: reports)))
            // To have rolled back is what was asked for; what still needs a person was thrown.
            return 0
        }
        let round = await ServerRound.over(servers) { id in
            // What an earlier one's turn has removed, such as its rehearsal, needs none.
            try engine.members().contains(id) ? try await engine.recover(id) : nil
        }
        for whole in Set(servers.map(\.whole)).sorted() {
            guard let rollout = try await engine.takeUpRollout(of: whole) else { continue }
            session.say("\(whole): \(rollout.sentence)")
        }
        return try round.conclude(session, showing: RecoveryResult(round: round))
    }
}
