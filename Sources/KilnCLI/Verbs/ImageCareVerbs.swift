import ArgumentParser
import Foundation
import KilnBakery
import KilnEngine
import KilnModel
import KilnStore

/// `kiln image prune`.
struct ImagePruneVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "prune",
        abstract: "Remove the images that no server, no channel and no other image needs; without --yes, only tell.",
        discussion: """
            Steps, trees, logs and downloads that nothing needs then go with them. What a channel would go back to is needed as well, and so is what a needed image was made from. \
            'kiln image gc --explain' tells who needs one.
            """
    )

    @Flag(help: "Remove them.")
    var yes = false

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let workspace = try await session.workspace()
        let images = try await workspace.engine.withoutNewUsersOfImages {
            let unneeded = try workspace.images.catalog().unneeded {
                try !workspace.engine.servers(needing: $0).isEmpty
            }
            if yes {
                for image in unneeded { try remove(image.manifest, from: workspace.images) }
                try workspace.engine.removeTemplates(of: Set(unneeded.map(\.manifest.digest)))
            }
            return unneeded.map(\.manifest)
        }
        let leftovers = try await BakeLeftovers(of: workspace.images).collect(dryRun: !yes)
        try session.show(PrunedImages(images: images, leftovers: leftovers, isDryRun: !yes))
        return 0
    }

    // One without a name is found by its digest only.
    private func remove(_ image: ImageManifest, from store: ImageStore) throws {
        let named = ImageReference(name: image.name, selector: .version(image.version))
        let isNamed = try? store.find(named).manifest.digest == image.digest
        try store.remove(isNamed == true ? named : ImageReference(name: image.name, selector: .digest(image.digest)))
    }
}

/// `kiln image gc`.
struct ImageGcVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "gc",
        abstract: "Remove from the store what killed commands left and no image needs; or tell who needs an image.",
        discussion: """
            Besides what killed bakes, additions and imports left: steps and logs of versions that are gone, trees of images \
            that are gone, trees of bakes that failed two weeks ago, and downloads of a month ago. Images are not touched: see \
            'kiln image prune'.
            """
    )

    @Flag(help: "Only tell what would be removed.")
    var dryRun = false

    @Option(help: ArgumentHelp("Only tell who needs this image.", valueName: "image"), completion: .images)
    var explain: String?

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let workspace = try await session.workspace()
        guard let explain else {
            let abandoned = workspace.images.removeAbandoned(dryRun: dryRun)
            let leftovers = try await BakeLeftovers(of: workspace.images).collect(dryRun: dryRun)
            try session.show(StoreGarbage(abandoned: abandoned, leftovers: leftovers, isDryRun: dryRun))
            return 0
        }
        let image = try workspace.images.find(try ImageReference(explain)).manifest
        let needs = ImageNeeds(
            image: image,
            servers: try workspace.engine.servers(needing: image.digest),
            needs: try workspace.images.catalog().needs(of: image.digest)
        )
        try session.show(needs)
        return 0
    }
}

/// `kiln image export`.
struct ImageExportVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write an image with its attestations to a new file, to be imported into another store."
    )

    @Argument(help: "The image.", completion: .images)
    var image: String

    @Argument(help: "The file, which must not be there yet.", completion: .file(extensions: ["tar"]))
    var file: String

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let store = try await session.workspace().images
        let path = URL(fileURLWithPath: file).path
        let exported = try await store.exportImage(try ImageReference(image), to: path, waiting: session.sayWaiting)
        try session.show(ExportedImage(image: exported.manifest, file: file))
        return 0
    }
}

/// `kiln image import`.
struct ImageImportVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Take an image out of a file that 'kiln image export' wrote.",
        discussion: """
            Its content is compared with its digests. Its attestations are taken on the word of whoever wrote the file, \
            and marked so.
            """
    )

    @Argument(help: "The file, which stays as it is.", completion: .file(extensions: ["tar"]))
    var file: String

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let store = try await session.workspace().images
        let imported = try await store.importImage(from: URL(fileURLWithPath: file).path, waiting: session.sayWaiting)
        try session.show(ImageList(images: [imported.manifest], catalog: try store.catalog()))
        return 0
    }
}
