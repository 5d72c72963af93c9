import ArgumentParser
import KilnEngine
import KilnModel

/// `kiln start`.
struct StartVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "start",
        abstract: "Start the machine of a stopped server again, the same generation."
    )

    @OptionGroup var target: ServerArgument
    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let engine = try await session.workspace().engine
        let ids = try engine.members(named: target.server)
        try await engine.start(ids)
        try session.show(ServerList(servers: try await engine.statuses(of: ids)))
        return 0
    }
}
