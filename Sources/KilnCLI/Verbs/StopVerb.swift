import ArgumentParser
import KilnEngine
import KilnModel

/// `kiln stop`.
struct StopVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "stop",
        abstract:
            "Shut a server's machine down, or those of all its members; 'kiln start' brings the same generation back."
    )

    @OptionGroup var target: ServerArgument
    @Flag(help: "End the machine without asking the guest; what it had not written to its disks is lost.")
    var force = false

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let engine = try await session.workspace().engine
        let ids = try engine.members(named: target.server)
        try await engine.stop(ids, force: force)
        try session.show(ServerList(servers: try await engine.statuses(of: ids)))
        return 0
    }
}
