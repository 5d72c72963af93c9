import ArgumentParser
import KilnEngine
import KilnImages
import KilnModel

/// `kiln image bake`.
struct ImageBakeVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "bake",
        abstract: "Bake images from their recipes, every version that the store does not hold yet."
    )

    @Argument(help: "The recipes: names in the folder of recipes, or folders that hold an image.yaml.")
    var recipes: [String]

    @Option(help: "The folder of recipes.", completion: .directory)
    var folder = "Images"

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let baker = Baker(store: Workspace.imageStore, progress: { session.progress.take($0) })
        var baked: [ImageManifest] = []
        for recipe in recipes {
            let path = recipe.contains("/") ? recipe : "\(folder)/\(try Name(recipe))"
            baked += try await baker.bake(try Recipe(folder: path)).map(\.manifest)
        }
        try session.show(ImageList(images: baked))
        return 0
    }
}

/// `kiln image add`.
struct ImageAddVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Add a qcow2 file with a boot loader of its own, such as a distribution's cloud image."
    )

    @Argument(help: "The file; it is copied.", completion: .file(extensions: ["qcow2", "img"]))
    var file: String

    @Option(help: ArgumentHelp("What to call it: name:version.", valueName: "name:version"))
    var `as`: String

    @Option(help: "bios or uefi.")
    var firmware = Firmware.bios

    /// The firmware that starts the image.
    enum Firmware: String, CaseIterable, ExpressibleByArgument { case bios, uefi }

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let reference = try ImageReference(self.as)
        guard case .version(let version) = reference.selector else {
            throw KilnError(
                "image.no-version",
                "\(Name.quoted(self.as)) has no version",
                hint: "say name:version",
                exit: .usage
            )
        }
        let added = try await Workspace.imageStore.add(
            file: file,
            name: reference.name,
            version: version,
            firmware: firmware == .bios ? .bios : .uefi
        )
        try session.show(ImageList(images: [added.manifest]))
        return 0
    }
}
