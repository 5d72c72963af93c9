import ArgumentParser
import KilnEngine
import KilnModel

/// `kiln ps`: what is there.
struct PsVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "ps",
        abstract: "List servers: generation, state, image, published ports, open replacements."
    )

    @Argument(
        help: "Only the servers of this lab.",
        completion: .custom { _, _, prefix in KnownNames.current.labs(startingWith: prefix) }
    )
    var lab: String?

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let name = try lab.map { try Name($0) }
        try session.show(ServerList(servers: try await session.workspace().engine.statuses(name)))
        return 0
    }
}
