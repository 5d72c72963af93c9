import ArgumentParser
import KilnEngine
import KilnModel

/// `kiln show`: what one server is made from.
struct ShowVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show what a server is made from: its image, what is set for it, and where its generations differ.",
        discussion: """
            What a server is given is told by name, and never a value that may be a secret. Servers of the lab with the \
            same image are listed with what is set otherwise for them.
            """
    )

    @OptionGroup var target: ServerArgument
    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let engine = try await session.workspace().engine
        try session.show(ServerView(details: try await engine.details(try engine.member(named: target.server))))
        return 0
    }
}
