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
    @Flag(help: "End the machine without asking the guest; what it had not written to its disks is lost.")
    var force = false

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let engine = try await session.workspace().engine
        let id = try engine.server(named: target.server)
        try await engine.stop(id, force: force)
        try session.show(ServerList(servers: [try await engine.status(id)]))
        return 0
    }
}
