import ArgumentParser
import KilnEngine
import KilnModel
import KilnStore

/// `kiln image`: verbs on images.
struct ImageVerbs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "image",
        abstract: "Bake, test, look at, promote, revoke, carry and remove images; check recipes.",
        subcommands: [
            ImageListVerb.self, ImageShowVerb.self, ImageHistoryVerb.self, ImageDiffVerb.self, ImageSBOMVerb.self,
            ImageLintVerb.self, ImageBakeVerb.self, ImageEnterVerb.self, ImageTestVerb.self, ImageAddVerb.self,
            ImageVerifyVerb.self, ImagePromoteVerb.self, ImageChannelsVerb.self, ImageRevokeVerb.self,
            ImageRestoreVerb.self, ImageExportVerb.self, ImageImportVerb.self, ImageDuVerb.self, ImageGcVerb.self,
            ImagePruneVerb.self, ImageDeleteVerb.self,
        ]
    )
}

/// `kiln image list`.
struct ImageListVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the images of the store: how each boots, what its tests say, which channels point to it."
    )

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let catalog = try await session.workspace().images.catalog()
        try session.show(ImageList(images: catalog.images.map(\.manifest), catalog: catalog))
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
        let chosen = try images.isEmpty ? store.list() : images.map { try store.find(try ImageReference($0)) }
        for image in chosen { try await store.verify(image) }
        try session.show(ImageList(images: chosen.map(\.manifest)))
        return 0
    }
}

/// `kiln image delete`.
struct ImageDeleteVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete an image that no server uses and no channel points to.",
        discussion:
            "Images that were made from it stand alone. Attestations and revocations stay: they are the content's."
    )

    @Argument(help: "The image: name:version, or name@sha256:… with its digest.", completion: .images)
    var image: String

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let workspace = try await session.workspace()
        let reference = try ImageReference(image)
        let removed = try await workspace.engine.withoutNewUsersOfImages {
            try requireUnused(try workspace.images.find(reference).manifest.digest, workspace)
            let removed = try workspace.images.remove(reference)
            // Another name may still lead to it; then its next machines make a template again.
            try workspace.engine.removeTemplates(of: [removed.manifest.digest])
            return removed
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
