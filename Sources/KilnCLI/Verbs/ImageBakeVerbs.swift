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

    @Argument(help: "The recipes: names in the folder of recipes, or paths of folders that hold an image.yaml.")
    var recipes: [String]

    @Option(help: "The folder of recipes.", completion: .directory)
    var folder = "Images"

    @Flag(help: "Bake even what is in the store already, for newer packages.")
    var again = false

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let chosen = try recipes.map { text in
            try Recipe(folder: text.contains("/") ? text : "\(folder)/\(try Name(text))")
        }
        let workspace = try await session.workspace()
        let baker = Baker(store: workspace.images, roots: workspace.parts.roots) { session.say($0) }
        var baked: [ImageManifest] = []
        for recipe in chosen { baked += try await baker.bake(recipe, again: again).map(\.manifest) }
        try session.show(ImageList(images: baked))
        return 0
    }
}

/// `kiln image add`.
struct ImageAddVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Add a qcow2 file with a boot loader of its own, such as a distribution's cloud image.",
        discussion: "It needs cloud-init, which tells a machine who it is."
    )

    @Argument(help: "The file; it is copied.", completion: .file(extensions: ["qcow2", "img"]))
    var file: String

    @Option(help: ArgumentHelp("What to call it.", valueName: "name:version"))
    var `as`: String

    @Option(help: "What starts it: bios or uefi.")
    var firmware = Firmware.bios

    @OptionGroup var global: GlobalOptions

    /// The firmware that starts the image.
    enum Firmware: String, CaseIterable, ExpressibleByArgument {
        case bios, uefi

        var model: ImageManifest.Firmware {
            switch self {
            case .bios: .bios
            case .uefi: .uefi
            }
        }
    }

    func execute(_ session: Session) async throws -> Int32 {
        let reference = try ImageReference(self.as)
        guard case .version(let version) = reference.selector else {
            throw KilnError(
                .imageReferenceInvalid,
                "\(Name.quoted(self.as)) has no version",
                hint: "say --as NAME:VERSION",
                exit: .usage
            )
        }
        let described = AddedImage(name: reference.name, version: version, boot: .firmware(firmware.model))
        let workspace = try await session.workspace()
        let added = try await workspace.images.add(file, as: described, roots: workspace.parts.roots) {
            session.say($0)
        }
        try session.show(ImageList(images: [added.manifest]))
        return 0
    }
}
