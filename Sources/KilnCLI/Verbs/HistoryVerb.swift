import ArgumentParser
import KilnEngine
import KilnModel

/// `kiln history`: what the journal of a server tells.
struct HistoryVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "List everything that happened to a server, from its journal.",
        discussion: """
            When, by which image and strategy, how it ended, the time of each step, and why it turned back; and what \
            'kiln autopilot' did.
            """
    )

    @OptionGroup var target: ServerArgument
    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let engine = try await session.workspace().engine
        let ids = try engine.members(named: target.server)
        let views = try ids.map { id in
            HistoryView(
                server: id,
                history: try engine.history(id),
                autopilot: try engine.autopilotRecords(of: id),
                launches: try engine.launches(of: id)
            )
        }
        guard let first = ids.first, ids.count > 1 else {
            if let only = views.first { try session.show(only) }
            return 0
        }
        try session.show(FleetHistory(members: views, rollouts: try engine.rollouts(of: first.whole)))
        return 0
    }
}
