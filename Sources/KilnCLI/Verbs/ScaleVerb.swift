import ArgumentParser
import KilnEngine
import KilnModel

/// `kiln scale`: more or fewer members.
struct ScaleVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "scale",
        abstract: "Let a server have more or fewer members.",
        discussion: """
            A new member gets its volumes as the lab file's 'volume-from' says, or what was retained of a member with its \
            ordinal. A member that goes ends what it has begun for clients first; its volumes are retained. The number holds \
            until 'kiln up' reads another one from the lab file; of a server with 'autoscale', until its load wants another one.
            """
    )

    @OptionGroup var target: ServerArgument
    @Argument(help: "How many members, 1 to \(MemberID.most).")
    var replicas: Int

    @OptionGroup var jobs: JobsOption
    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let engine = try await session.workspace().engine
        let server = try engine.server(named: target.server)
        try session.show(ServerList(servers: try await engine.scale(server, to: replicas, jobs: jobs.jobs)))
        return 0
    }
}
