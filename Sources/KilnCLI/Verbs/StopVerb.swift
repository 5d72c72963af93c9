import ArgumentParser
import KilnEngine
import KilnModel

/// `kiln stop`.
struct StopVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "stop",
        abstract: "Shut a server's machine down; 'kiln start' brings the same generation back."
    )

    @OptionGroup var target: ServerArgument
    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let engine = try await session.workspace().engine
        let id = try engine.server(target.server)
        try await engine.stop(id)
        try session.show(ServerList(servers: [try await engine.status(id)]))
        return 0
    }
}
