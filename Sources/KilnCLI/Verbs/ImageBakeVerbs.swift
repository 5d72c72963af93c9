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

    @Argument(
        help: "The recipes: names that are searched for, or paths of folders that hold an image.yaml.",
        completion: .custom { _, _, prefix in KnownNames.recipes(startingWith: prefix) }
    )
    var recipes: [String]

    @Option(
        help: ArgumentHelp(
            "A folder of recipes that is searched first.",
            discussion: "Then: ./Images, kiln/images in the user's data ($XDG_DATA_HOME), the installed recipes."
        ),
        completion: .directory
    )
    var folder: String?

    @Flag(help: "Bake even what is in the store already, for newer packages.")
    var again = false

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let path = SearchPath(.recipes, folder: folder)
        let chosen = try recipes.map { text in
            try Recipe(folder: text.contains("/") ? text : path.find(try Name(text), session))
        }
        let workspace = try await session.workspace()
        var baked: [ImageManifest] = []
        for recipe in chosen { baked += try await workspace.bake(recipe, again: again, session) }
        try session.show(ImageList(images: baked))
        return 0
    }
}

extension Workspace {
    /// Bakes the versions of a recipe that the store lacks, or all of them again.
    func bake(_ recipe: Recipe, again: Bool = false, _ session: Session) async throws -> [ImageManifest] {
        let baker = Baker(store: images, roots: parts.roots) { session.say($0) }
        return try await baker.bake(recipe, again: again).map(\.manifest)
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
