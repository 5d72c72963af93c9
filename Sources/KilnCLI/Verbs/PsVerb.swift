import ArgumentParser
import KilnEngine
import KilnModel

/// `kiln ps`: what is there.
struct PsVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "ps",
        abstract: "List servers: generation, state, image, published ports, open replacements.",
        discussion: """
            A server whose generation is older than its max-age is due to be replaced, and so is one whose channel points to \
            another image by now. What did not pass its tests is named: an image that is untested, or was revoked since, and a \
            configuration that was changed and not rehearsed. So is a volume that a guest was found to have formatted, with \
            the way back.
            """
    )

    @Argument(
        help: "Only the servers of this lab.",
        completion: .labs
    )
    var lab: String?

    @Flag(help: "Only servers that are due to be replaced.")
    var due = false

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let name = try lab.map { try Name($0) }
        let servers = try await session.workspace().engine.statuses(name)
        try session.show(due ? ServerList(due: servers) : ServerList(servers: servers))
        return 0
    }
}
