import ArgumentParser
import KilnEngine
import KilnModel

/// `kiln drift`: what differs on a server's root from its image.
struct DriftVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "drift",
        abstract: "List what differs on a server's root from its image.",
        discussion: """
            Found from outside: the root is copied and read by an unprivileged process; the guest is only asked to hold \
            back its writes for a moment. Volumes, paths that image or server declare ephemeral, and files that the \
            server's user-data writes don't count. What a volume hides below its mount point does, as 'hidden'. Exits with \
            0 where nothing differs, with 1 where something does or where it can't be seen.
            """
    )

    @OptionGroup var target: ServerArgument

    @Option(help: ArgumentHelp("A past generation, as its root was found when it was replaced.", valueName: "n"))
    var generation: Int?

    @OptionGroup var global: GlobalOptions

    func validate() throws {
        if let generation, generation < 1 { throw ValidationError("generations are numbered from 1") }
    }

    func execute(_ session: Session) async throws -> Int32 {
        let engine = try await session.workspace().engine
        // Generations are each member's own.
        let ids =
            generation == nil
            ? try engine.members(named: target.server) : [try engine.member(named: target.server)]
        var reports: [DriftReport] = []
        for id in ids { reports.append(try await engine.drift(id, generation: generation.map { Generation($0) })) }
        let views = reports.map { DriftView(report: $0, isServing: generation == nil) }
        if let only = views.first, views.count == 1 {
            try session.show(only)
        } else {
            try session.show(MemberViews(views))
        }
        // What can't be seen is not known to be none.
        let isNone = reports.allSatisfy { !$0.isDrifted && $0.observable }
        return (isNone ? KilnModel.ExitCode.done : .unmet).rawValue
    }
}
