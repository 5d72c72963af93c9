import ArgumentParser
import KilnEngine
import KilnModel

/// `kiln rollback`: a new machine from the image of an earlier generation.
struct RollbackVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "rollback",
        abstract: "Replace a server's machine by one from the image of an earlier generation.",
        discussion: """
            A rollback is a replacement: the server gets a new generation with the image of the earlier \
            one, and its volumes move along with the data that they have now. That image served before, so it is taken \
            though it was revoked since or its tests don't count any more, which is said.
            """
    )

    @OptionGroup var target: ServerArgument

    @Option(help: ArgumentHelp("The generation to go back to; without it, the one before.", valueName: "n"))
    var to: Int?

    @OptionGroup var options: ReplacementOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        if let to, to < 1 { throw ValidationError("generations are numbered from 1") }
    }

    func execute(_ session: Session) async throws -> Int32 {
        let generation = to.map { Generation($0) }
        let options = options.engineOptions()
        return try await session.replace(target.server) { try await $0.rollback($1, to: generation, options) }
    }
}
