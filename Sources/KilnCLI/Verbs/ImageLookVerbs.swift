import ArgumentParser
import KilnEngine
import KilnModel
import KilnStore

/// `kiln image show`.
struct ImageShowVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show what is known of an image: its state, how it was made, and what its tests found."
    )

    @Argument(help: "The image.", completion: .images)
    var image: String

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let store = try await session.workspace().images
        let found = try store.find(try ImageReference(image)).manifest
        let view = ImageView(
            image: found,
            standing: try store.catalog().standing(of: found),
            attestations: try store.attestations(of: found.digest),
            way: try store.way(into: found.digest)
        )
        try session.show(view)
        return 0
    }
}

/// `kiln image history`.
struct ImageHistoryVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "Show the images that an image was made from, and those that were made from it."
    )

    @Argument(help: "The image.", completion: .images)
    var image: String

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let store = try await session.workspace().images
        let found = try store.find(try ImageReference(image)).manifest
        try session.show(ImageAncestry(image: found, catalog: try store.catalog()))
        return 0
    }
}

/// `kiln image diff`.
struct ImageDiffVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "List in which packages and paths two images differ.",
        discussion: "Exits with 0 where nothing differs, with 1 where something does or where it can't be seen."
    )

    @Argument(help: "The image to begin from.", completion: .images)
    var from: String

    @Argument(help: "The image to compare with it.", completion: .images)
    var to: String

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let store = try await session.workspace().images
        let difference = try await store.difference(from: try ImageReference(from), to: try ImageReference(to))
        try session.show(ImageDifferenceView(from: from, to: to, difference: difference))
        return (difference.isNone ? KilnModel.ExitCode.done : .unmet).rawValue
    }
}

/// `kiln image sbom`.
struct ImageSBOMVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "sbom",
        abstract: "Write the bill of materials of an image: SPDX 2.3 as JSON, the same each time.",
        discussion: "Packages and their source packages, as the image's manifest has them."
    )

    @Argument(help: "The image.", completion: .images)
    var image: String

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let found = try await session.workspace().images.find(try ImageReference(image))
        try session.show(BillOfMaterials(document: SPDXDocument(of: found.manifest)))
        return 0
    }
}

/// `kiln image du`.
struct ImageDuVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "du",
        abstract: "Show what the images, and everything else in the store, take on its disk.",
        discussion:
            "'templates' are what servers with 'launch: flash' are cloned from: they go with their image, or once the host was started anew."
    )

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let workspace = try await session.workspace()
        let usage = try workspace.images.usage(with: ["templates": workspace.state.templates])
        try session.show(StoreUsageView(usage: usage))
        return 0
    }
}
