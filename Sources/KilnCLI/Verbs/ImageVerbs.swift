import ArgumentParser
import KilnEngine
import KilnModel
import KilnStore

/// `kiln image`: verbs on images.
struct ImageVerbs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "image",
        abstract: "List, bake, test, add, verify and delete images; check recipes.",
        subcommands: [
            ImageListVerb.self, ImageLintVerb.self, ImageBakeVerb.self, ImageEnterVerb.self, ImageTestVerb.self,
            ImageAddVerb.self, ImageVerifyVerb.self, ImageDeleteVerb.self,
        ]
    )
}

/// `kiln image list`.
struct ImageListVerb: Verb {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List the images of the store.")

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        try session.show(ImageList(images: try await session.workspace().images.list().map(\.manifest)))
        return 0
    }
}

/// `kiln image verify`.
struct ImageVerifyVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Read images whole and compare them with their digests."
    )

    @Argument(help: "The images; without any, all.", completion: .images)
    var images: [String] = []

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let store = try await session.workspace().images
        let chosen = try images.isEmpty ? store.list() : images.map { try store.resolve(try ImageReference($0)) }
        for image in chosen { try await store.verify(image) }
        try session.show(ImageList(images: chosen.map(\.manifest)))
        return 0
    }
}

/// `kiln image delete`.
struct ImageDeleteVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete an image that no server uses."
    )

    @Argument(help: "The image: name:version, or name@sha256:… with its digest.", completion: .images)
    var image: String

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let workspace = try await session.workspace()
        let reference = try ImageReference(image)
        let removed = try await workspace.engine.withoutNewUsersOfImages {
            try requireUnused(try workspace.images.resolve(reference).manifest.digest, workspace)
            return try workspace.images.remove(reference)
        }
        try session.show(ImageList(images: [removed.manifest]))
        return 0
    }

    private func requireUnused(_ digest: ImageDigest, _ workspace: Workspace) throws {
        let users = try workspace.engine.servers(needing: digest)
        guard users.isEmpty else {
            let names = users.map(\.description).joined(separator: ", ")
            throw KilnError(
                .imageInUse,
                "\(image) is the image of \(names)",
                hint: "replace these servers first, or take their labs down",
                exit: .blocked
            )
        }
    }
}
