import ArgumentParser
import KilnEngine
import KilnModel

/// `kiln replace`: a new machine for a server, with the same volumes.
struct ReplaceVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "replace",
        abstract: "Replace a server's machine by a new generation; its volumes move along.",
        discussion: """
            If the new machine doesn't become ready, the old one serves again (exit 11). Where kiln is killed, at whatever \
            instant, the next command that changes the server finishes the work or takes it back.
            """
    )

    @OptionGroup var target: ServerArgument

    @Option(
        help: ArgumentHelp("The image of the new generation; without it, that of the lab.", valueName: "ref"),
        completion: .images
    )
    var image: String?

    @Flag(help: "Only say in what the new generation would differ.")
    var dryRun = false

    @OptionGroup var options: ReplacementOptions
    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let options = options.engineOptions(image: try image.map { try ImageReference($0) })
        guard dryRun else {
            return try await session.replace(target.server) { try await $0.replace($1, options) }
        }
        let engine = try await session.workspace().engine
        let plan = try await engine.planReplacement(try engine.server(named: target.server), options)
        try session.show(ReplacementPlanView(plan: plan))
        return 0
    }
}
