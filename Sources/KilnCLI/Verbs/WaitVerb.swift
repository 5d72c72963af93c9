import ArgumentParser
import KilnEngine
import KilnModel

/// `kiln wait`: until a server is ready.
struct WaitVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "wait",
        abstract: "Wait until a server is ready, as its lab file defines it."
    )

    @OptionGroup var target: ServerArgument

    @Option(
        help: ArgumentHelp(
            "How long at most, such as 90s; it can only shorten the server's ready-timeout.",
            valueName: "duration"
        )
    )
    var timeout: Patience?

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let engine = try await session.workspace().engine
        let ids = try engine.members(named: target.server)
        try await Deadline.within(timeout?.duration, "\(target.server) was not ready") {
            try await engine.awaitReady(ids)
        }
        try session.show(ServerList(servers: try await engine.statuses(of: ids)))
        return 0
    }
}
