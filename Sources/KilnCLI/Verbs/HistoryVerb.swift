import ArgumentParser
import KilnEngine
import KilnModel

/// `kiln history`: what the journal of a server tells.
struct HistoryVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "List everything that happened to a server, from its journal.",
        discussion: "When, by which image and strategy, how it ended, the time of each step, and why it turned back."
    )

    @OptionGroup var target: ServerArgument
    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let engine = try await session.workspace().engine
        let id = try engine.server(named: target.server)
        try session.show(HistoryView(server: id, history: try engine.history(id)))
        return 0
    }
}
