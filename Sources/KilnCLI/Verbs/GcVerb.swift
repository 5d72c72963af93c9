import ArgumentParser
import KilnEngine

/// `kiln gc`: removes what nothing needs any more.
struct GcVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "gc",
        abstract:
            "Remove what interrupted commands left behind: overlays, seeds, sockets, domains, labs and homes of killed runs.",
        discussion: """
            Never touches images, evidence, or anything of a server that is up, but for those of a killed run of a scenario. \
            Volumes stay; those of a killed run are retained, but for those in a home of the run's own, which goes as a whole.
            """
    )

    @Flag(help: "Only tell what would be removed.")
    var dryRun = false

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let workspace = try await session.workspace()
        let worlds = await OwnWorld.removeAbandoned(in: workspace.state.root, dryRun: dryRun)
        let removed = worlds + (try await workspace.engine.collectGarbage(dryRun: dryRun))
        try session.show(Garbage(items: removed, isDryRun: dryRun))
        return 0
    }
}

/// What was removed, or would be.
struct Garbage: Renderable {
    let items: [String]
    let isDryRun: Bool

    struct Payload: Encodable {
        let removed: [String]
        let dryRun: Bool

        enum CodingKeys: String, CodingKey {
            case removed
            case dryRun = "dry_run"
        }
    }

    var payload: Payload { Payload(removed: items, dryRun: isDryRun) }

    var human: HumanView {
        if items.isEmpty { return .lines(["nothing to remove"]) }
        return .lines(items.map { (isDryRun ? "would remove " : "removed ") + ConsoleText.singleLine($0) })
    }
}
