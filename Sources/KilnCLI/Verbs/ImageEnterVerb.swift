import ArgumentParser
import Foundation
import KilnBakery
import KilnModel

/// `kiln image enter`: a shell in the tree of a bake that failed.
struct ImageEnterVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "enter",
        abstract: "Open a shell in the tree of a bake that failed.",
        discussion: """
            The tree is as the failed step left it, and what is changed in it stays: 'kiln image bake NAME --from-step N' goes \
            on with it. Without a terminal, commands are read from standard input.
            """
    )

    @Argument(help: ArgumentHelp("The version that was being baked.", valueName: "name:version"), completion: .images)
    var image: String

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let reference = try ImageReference(image)
        guard case .version(let version) = reference.selector else {
            throw KilnError(
                .imageReferenceInvalid,
                "\(Name.quoted(image)) has no version",
                hint: "say 'kiln image enter NAME:VERSION'",
                exit: .usage
            )
        }
        let store = try await session.workspace().images
        let shell = try KeptTree(store: store, name: reference.name, version: version).shell()
        session.progress.clear()
        try ProcessImage.become(shell.arguments, variables: shell.variables, package: "util-linux")
    }
}
