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
        let id = try engine.server(named: target.server)
        try await Deadline.within(timeout?.duration, "\(id) was not ready") { try await engine.awaitReady(id) }
        try session.show(ServerList(servers: [try await engine.status(id)]))
        return 0
    }
}
