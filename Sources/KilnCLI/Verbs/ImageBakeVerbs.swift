import ArgumentParser
import KilnBakery
import KilnDocuments
import KilnEngine
import KilnModel

/// `kiln image bake`.
struct ImageBakeVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "bake",
        abstract: "Bake images from their recipes, every version that the store does not hold yet.",
        discussion: """
            Packages come from the mirror that a recipe names; else from those of KILN_DEBIAN_MIRROR (URLs), checked with \
            KILN_DEBIAN_KEYRING (a file); else from the Debian archives of this host's apt.
            """
    )

    @Argument(
        help: "The recipes: names that are searched for, or paths of folders that hold an image.yaml.",
        completion: .recipes
    )
    var recipes: [String]

    @Flag(help: "Bake even what is in the store already, for newer packages.")
    var again = false

    @OptionGroup var location: RecipeFolderOption
    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let chosen = try location.paths(of: recipes, session).map { try Recipe(folder: $0) }
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
            _ = try Recipe(at: path)
            return []
        }
        try session.show(result)
        return result.status
    }
}
