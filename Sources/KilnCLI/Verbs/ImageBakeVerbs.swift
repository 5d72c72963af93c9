import ArgumentParser
import Foundation
import KilnBakery
import KilnDocuments
import KilnEngine
import KilnModel
import KilnScenarios
import KilnStore

/// `kiln image bake`.
struct ImageBakeVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "bake",
        abstract: "Bake images from their recipes, every version that the store does not hold yet.",
        discussion: """
            Packages come from the mirror that a recipe names; else from those of KILN_DEBIAN_MIRROR (URLs), checked with \
            KILN_DEBIAN_KEYRING (a file); else from the Debian archives of this host's apt.

            A step whose content was done before is reused, and so is what comes after it. Where a step fails, its tree is kept: \
            'kiln image enter' looks at it, --from-step goes on. With 'bake: booted' a recipe has its steps done in a machine, and \
            none of them is reused. An image that a recipe is made from is baked first where the store lacks it.

            What is baked is tested as by 'kiln image test', with --no-test it is not; exits with 1 where a test does not hold.
            """,
        aliases: ["build"]
    )

    @Argument(
        help: "The recipes: names that are searched for, or paths of folders that hold an image.yaml.",
        completion: .recipes
    )
    var recipes: [String]

    @Option(
        name: .customLong("version"),
        help: "Bake only this version; may be given several times.",
        completion: .none
    )
    var versions: [String] = []

    @Flag(help: "Do every step once more, for newer packages.")
    var again = false

    @Option(
        help: ArgumentHelp(
            "Go on at this step of the last bake that failed, with its tree as it is now.",
            valueName: "number"
        )
    )
    var fromStep: Int?

    @Flag(name: .customLong("no-test"), help: "Leave the images untested.")
    var skipsTests = false

    @OptionGroup var location: RecipeFolderOption
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        if again, fromStep != nil { throw ValidationError("--again does every step; --from-step leaves some out") }
    }

    func execute(_ session: Session) async throws -> Int32 {
        let chosen = try location.paths(of: recipes, session).map {
            try Recipe(folder: $0, parents: location.search.folder(of:))
        }
        let workspace = try await session.workspace()
        var options = Baker.Options()
        (options.versions, options.again, options.fromStep) = (versions, again, fromStep)
        let before = try workspace.images.catalog()
        var baked: [ImageManifest] = []
        for recipe in chosen {
            baked += try await workspace.bake(recipe, options, parents: location.search, session)
        }
        let passed = skipsTests ? true : try await workspace.test(baked, madeSince: before, session)
        try session.show(ImageList(images: baked, catalog: try workspace.images.catalog()))
        return (passed ? KilnModel.ExitCode.done : .unmet).rawValue
    }
}

extension Workspace {
    /// Tests what was baked, and the parents that were baked for it, parents first, and some at the same time where there is
    /// room; those that passed already are not asked again.
    ///
    /// - Parameter before: what the store held before the bake.
    /// - Returns: whether all of it passed.
    func test(_ baked: [ImageManifest], madeSince before: ImageCatalog, _ session: Session) async throws
        -> Bool
    {
        let catalog = try images.catalog()
        let known = Set((before.images + before.unnamed).map(\.manifest.digest))
        // What somebody else made meanwhile is not tested here.
        let parents = Set(baked.flatMap(catalog.ancestors)).subtracting(known)
        let wanted = parents.union(baked.map(\.digest))
        let chosen = catalog.images.filter { wanted.contains($0.manifest.digest) }
            .filter { catalog.standing(of: $0.manifest).verdict != .passed }
            .sorted { catalog.ancestors(of: $0.manifest).count < catalog.ancestors(of: $1.manifest).count }
        // One image may have several names.
        var named: Set<ImageDigest> = []
        let distinct = chosen.filter { named.insert($0.manifest.digest).inserted }
        let attestations = try await RunBudget.ofHost.run(distinct.map(ImageTest.demand(of:))) {
            try await test(distinct[$0], session)
        }
        var passed = true
        for (image, attestation) in zip(distinct, attestations) where !attestation.isPass {
            passed = false
            let result = ImageTestResult(name: image.manifest.title, attestation: attestation)
            for line in result.failures + [result.verdict] { session.say(line) }
        }
        return passed
    }
}

extension ImageTest {
    /// What a test of an image takes: at most two machines of it run at a time.
    fileprivate static func demand(of image: StoredImage) -> RunDemand {
        let size = image.manifest.size
        // A manifest may say more than there is in the world.
        let memory = ByteCount(bytes: min(size.memory.bytes, .max / 2) * 2)
        return RunDemand(memory: memory, processors: size.processors * 2, isAlone: false)
    }
}

extension Workspace {
    /// Bakes the versions of a recipe that the store lacks, with the parents that it lacks.
    func bake(
        _ recipe: Recipe,
        _ options: Baker.Options = Baker.Options(),
        parents: SearchPath,
        _ session: Session
    ) async throws -> [ImageManifest] {
        let beside = URL(fileURLWithPath: recipe.folder).deletingLastPathComponent().path
        let baker = Baker(
            store: images,
            roots: parts.roots,
            machines: BakeMachines(engine: engine, parts: parts),
            recipe: { name in
                // A recipe's neighbours come first: whoever names a folder means its parents, too.
                let neighbour = "\(beside)/\(name)"
                if FileManager.default.fileExists(atPath: "\(neighbour)/\(Recipe.fileName)") {
                    return try Recipe(folder: neighbour, parents: parents.folder(of:))
                }
                guard parents.names.contains(name) else { return nil }
                return try Recipe(folder: try parents.find(name, session), parents: parents.folder(of:))
            },
            kiln: KilnCommand.version,
            tell: { session.say($0) }
        )
        return try await baker.bake(recipe, options).map(\.manifest)
    }
}

/// `kiln image lint`: everything that is wrong with recipes.
struct ImageLintVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "lint",
        abstract: "Check recipes; prints every problem with its line."
    )

    @Argument(
        help: "The recipes: names that are searched for, or paths of folders or of their image.yaml.",
        completion: .recipes
    )
    var recipes: [String]

    @OptionGroup var location: RecipeFolderOption
    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let result = await LintResult(try location.paths(of: recipes, session)) { path throws(InvalidFile) in
            _ = try Recipe(at: path, parents: location.search.folder(of:))
            return []
        }
        try session.show(result)
        return result.status
    }
}
