import KilnModel
import KilnStore

/// What is to be done for one version, with the key of each step.
struct BakePlan: Sendable {
    /// One step.
    struct Step: Sendable {
        /// What it does.
        enum Work: Sendable {
            /// Makes a Debian.
            case debian(Recipe.Debian)
            /// Takes the tree of another image.
            case parent(StoredImage)
            /// Changes the tree.
            case provisioner(any Provisioner)
            /// Removes what each machine has to have of its own.
            case cleaning
        }

        let work: Work
        /// The word of a recipe that asks for it, or `cleaning`.
        let kind: String
        let summary: String
        let material: KeyMaterial
        let key: ImageDigest
    }

    let recipe: Recipe
    let version: Recipe.Version
    /// What the image is made from, if it is made from an image.
    let parent: StoredImage?
    /// The images of which steps take files.
    let taken: TakenImages
    /// What it says of itself, and what it has of its parent.
    let settings: ImageSettings
    let steps: [Step]
    /// The programs that do it.
    let tools: BakeTools
    /// sha256 over all that decides the image: what is baked from the same is the same.
    let key: ImageDigest

    /// The second since 1970 after which nothing in the image was changed, unless a package has something newer: that of the
    /// packages' day, else one for all bakes, so that the same tree is the same image whenever it was made.
    var epoch: Int { recipe.snapshot?.epoch ?? 1_735_689_600 }

    /// What is expected of the image: the parents' tests come first.
    var tests: [Check] {
        let own = recipe.tests
        return (recipe.inheritsTests ? parent?.manifest.tests ?? [] : []).filter { !own.contains($0) } + own
    }

    /// Whether a step takes packages from mirrors.
    var fetchesPackages: Bool { steps.contains { ["debian", "packages"].contains($0.kind) } }

    /// Such as `notes:1`.
    var title: String { "\(recipe.name):\(version.name)" }
}

extension BakePlan {
    /// Raised when Kiln itself starts to make other images from the same recipe.
    private static let bakerVersion = "4"

    /// Plans a version whose parent is in the store, as are the images of which it takes files.
    ///
    /// - Throws: `KilnError` with code `recipe.incomplete`, `recipe.no-packages`, `image.missing`, `file.unreadable`.
    init(
        _ recipe: Recipe,
        _ version: Recipe.Version,
        parent: StoredImage?,
        taken: TakenImages = TakenImages(),
        tools: BakeTools
    ) throws {
        let settings = try ImageSettings(recipe, parent: parent?.manifest)
        var steps = [try BakePlan.base(recipe, version, parent, tools)]
        for provisioner in recipe.provisioners(of: version) {
            let before = steps[steps.count - 1].key
            steps.append(try BakePlan.step(provisioner, after: before, recipe, version, taken))
        }
        var cleaning = KeyMaterial()
        cleaning.add("before", steps[steps.count - 1].key.hex)
        cleaning.add("cleaning", Cleaning.version)
        if recipe.room == .booted { cleaning.add("machine", BootedRoomScript.version) }
        cleaning.add("name", "\(recipe.name):\(version.name)")
        steps.append(
            Step(work: .cleaning, kind: "cleaning", summary: "cleaning", material: cleaning, key: try cleaning.digest())
        )
        var image = KeyMaterial()
        image.add("tree", steps[steps.count - 1].key.hex)
        settings.describe(into: &image)
        self.recipe = recipe
        self.version = version
        self.parent = parent
        self.taken = taken
        self.settings = settings
        self.steps = steps
        self.tools = tools
        key = try image.digest()
    }

    private static func base(
        _ recipe: Recipe,
        _ version: Recipe.Version,
        _ parent: StoredImage?,
        _ tools: BakeTools
    ) throws -> Step {
        var material = KeyMaterial()
        material.add("baker", bakerVersion)
        tools.describe(into: &material)
        if let parent {
            material.add("parent", parent.manifest.digest.hex)
            if recipe.room == .booted { material.add("bake", recipe.room.rawValue) }
            let title = "\(parent.manifest.name):\(parent.manifest.version)"
            return Step(
                work: .parent(parent),
                kind: "from",
                summary: "from \(title)",
                material: material,
                key: try material.digest()
            )
        }
        guard case .debian(let debian) = recipe.base(of: version) else {
            throw KilnError(.recipeIncomplete, "\(recipe.name):\(version.name) has no parent", exit: .invalidFile)
        }
        try debian.describe(into: &material)
        material.add("snapshot", recipe.snapshot?.description ?? "none")
        return Step(
            work: .debian(debian),
            kind: "debian",
            summary: "debian \(debian.suite) \(debian.variant)",
            material: material,
            key: try material.digest()
        )
    }

    private static func step(
        _ provisioner: any Provisioner,
        after key: ImageDigest,
        _ recipe: Recipe,
        _ version: Recipe.Version,
        _ taken: TakenImages
    ) throws -> Step {
        var material = KeyMaterial()
        material.add("before", key.hex)
        material.add("step", provisioner.summary)
        // Programs that try something, and go on without it, do other things with a network.
        material.add("network", "\(provisioner.network)")
        try provisioner.describe(into: &material, recipe, version)
        if let image = try provisioner.image.map(taken.image) {
            material.add("image \(image.manifest.title)", image.manifest.digest.hex)
        }
        for name in provisioner.files { try material.add(files: "\(recipe.folder)/\(name)", as: name) }
        let shared = RecipeFolder(path: recipe.folder).shared
        for name in provisioner.shared { try material.add(files: "\(shared)/\(name)", as: "../\(name)") }
        return Step(
            work: .provisioner(provisioner),
            kind: String(provisioner.summary.prefix { $0 != " " }),
            summary: provisioner.summary,
            material: material,
            key: try material.digest()
        )
    }
}

extension Recipe.Debian {
    /// What decides the packages, as far as a recipe says it.
    func describe(into key: inout KeyMaterial) throws {
        key.add("suite", suite)
        key.add("variant", variant)
        key.add("packages", packages)
        key.add("mirrors", mirrors)
        // They may lie elsewhere, so only their content counts.
        for keyring in keyrings { try key.add(files: keyring, as: "keyring") }
    }
}
