import Foundation
import KilnEngine
import KilnModel
import KilnStore
import KilnSystem

/// Bakes recipes into the store.
///
/// Works as root and as a user with subordinate ids (`/etc/subuid`): then trees are handled in a user namespace, so that
/// their owners come out right.
public struct Baker: Sendable {
    /// Where the images go.
    public let store: ImageStore
    /// Reads the roots of images: lists them, so that drift can be measured against them.
    let roots: any RootInspection
    /// What makes the machines that steps are done in; nothing where none can be had.
    let machines: BakeMachines?
    /// Finds the recipe of a parent that the store does not have; nothing where there is none.
    let recipe: @Sendable (Name) throws -> Recipe?
    /// Which Kiln this is, for the manifests; nothing where nobody says.
    let kiln: String?
    /// Takes a line whenever there is something to tell.
    let tell: @Sendable (String) -> Void

    /// How a bake goes about what was done before.
    public struct Options: Sendable, Hashable {
        /// Names of versions; all if empty.
        public var versions: [String] = []
        /// Whether everything is done once more, for newer packages.
        public var again = false
        /// The step, from 1, at which the tree of the last failure is taken up as it is.
        public var fromStep: Int?

        /// All versions, and only what is missing.
        public init() {}
    }

    /// A baker for a store; `tell` may be called from any task, and `kiln` says which Kiln this is.
    public init(
        store: ImageStore,
        roots: any RootInspection,
        machines: BakeMachines? = nil,
        recipe: @escaping @Sendable (Name) throws -> Recipe? = { _ in nil },
        kiln: String? = nil,
        tell: @escaping @Sendable (String) -> Void
    ) {
        self.store = store
        self.roots = roots
        self.machines = machines
        self.recipe = recipe
        self.kiln = kiln
        self.tell = tell
    }

    /// Bakes all versions of a recipe, or the given ones, except those that were baked from the same content already; their
    /// parents first, where the store lacks them.
    ///
    /// An image appears in the store complete or not at all: cancelled, it leaves nothing; failed, the tree is kept for a look;
    /// killed, it leaves a folder in the store's `work/` that the next bake removes.
    /// - Throws: `KilnError` with code `recipe.…`, `bake.…`, `tool.…` or `file.…`; `CancellationError`.
    /// - Returns: the images, in the order of the versions.
    public func bake(_ recipe: Recipe, _ options: Options = Options()) async throws -> [StoredImage] {
        try await bake(recipe, options, for: [])
    }

    /// - Parameter children: the recipes that want it as a parent, the one that was asked for first.
    private func bake(_ recipe: Recipe, _ options: Options, for children: [Name]) async throws -> [StoredImage] {
        guard !children.contains(recipe.name) else { throw Baker.cycle(children + [recipe.name]) }
        let versions = try selected(options.versions, of: recipe)
        let lock = try await turn(of: recipe)
        defer { withExtendedLifetime(lock) {} }
        if let download = recipe.download, recipe.room == .chroot {
            var images: [StoredImage] = []
            for version in versions { images.append(try await take(download, of: recipe, version)) }
            return images
        }
        let tools = try await BakeTools.onThisHost(kiln: kiln)
        var images: [StoredImage] = []
        for version in versions {
            let parent = try await parent(of: recipe, version, children + [recipe.name])
            let taken = try await taken(by: recipe, version)
            let plan = try BakePlan(recipe, version, parent: parent, taken: taken, tools: tools)
            if !options.again, options.fromStep == nil, let image = baked(recipe, version, plan.key) {
                images.append(try await store.list(try await expecting(image, plan), by: roots))
            } else {
                images.append(try await BakeRun(baker: self, plan: plan, options: options).run())
            }
        }
        return images
    }

    private func selected(_ wanted: [String], of recipe: Recipe) throws -> [Recipe.Version] {
        let known = recipe.versions.map(\.name)
        if let unknown = wanted.first(where: { !known.contains($0) }) {
            throw KilnError(
                .recipeVersionMissing,
                "the recipe \(recipe.name) has no version \(Name.quoted(unknown)): it has \(known.joined(separator: ", "))",
                hint: "add it to \(recipe.folder)/\(Recipe.fileName) or choose one of these",
                exit: .usage
            )
        }
        return recipe.versions.filter { wanted.isEmpty || wanted.contains($0.name) }
    }

    /// Two bakes of one name would only do the same twice: the second waits, and finds it done.
    private func turn(of recipe: Recipe) async throws -> FileLock {
        try DurableFile.makeDirectory(store.root + "/bakes")
        return try await FileLock.whenFree(
            "\(store.root)/bakes/\(recipe.name).lock",
            subject: "the recipe \(recipe.name)",
            kind: .exclusive,
            within: .seconds(3_600),
            waiting: tellWaiting
        )
    }

    /// Says for whom the baker waits.
    var tellWaiting: @Sendable (KilnError) -> Void { { [tell] held in tell("waiting: \(held.message)") } }

    /// The image of a version, where it was made from just that.
    func baked(_ recipe: Recipe, _ version: Recipe.Version, _ key: ImageDigest) -> StoredImage? {
        let reference = ImageReference(name: recipe.name, selector: .version(version.name))
        guard let image = try? store.find(reference), image.manifest.recipe == key else { return nil }
        return image
    }
}

extension Baker {
    /// The image that a version is made from, baked first where the store lacks it.
    private func parent(of recipe: Recipe, _ version: Recipe.Version, _ children: [Name]) async throws -> StoredImage? {
        if let download = recipe.download, version.from == nil {
            let image = try await take(download, of: try recipe.asPublished(), version)
            try await store.verify(image)
            return image
        }
        guard case .image(let reference) = recipe.base(of: version) else { return nil }
        do {
            return try await usable(reference)
        } catch let error as KilnError where error.code == .imageMissing {
            guard let parent = try self.recipe(reference.name) else { throw error }
            tell("\(recipe.name):\(version.name) is made from \(reference), which is baked first")
            var options = Options()
            if case .version(let name) = reference.selector { options.versions = [name] }
            _ = try await bake(parent, options, for: children)
            return try await usable(reference)
        }
    }

    /// An image that new ones may be made from.
    func usable(_ reference: ImageReference) async throws -> StoredImage {
        let image = try store.usable(reference)
        try await store.verify(image)
        return image
    }

    private static func cycle(_ names: [Name]) -> KilnError {
        KilnError(
            .recipeCycle,
            "recipes are made from each other: \(names.map(\.text).joined(separator: " from "))",
            hint: "let one of them begin with 'debian:'",
            exit: .invalidFile
        )
    }
}
