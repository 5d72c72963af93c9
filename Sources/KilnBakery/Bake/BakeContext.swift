import KilnModel

/// What a step may know of the bake that it belongs to.
struct BakeContext: Sendable {
    let recipe: Recipe
    let version: Recipe.Version
    /// A folder on the store's file system that goes with the bake.
    let scratch: String
    /// Where a program beside the tree leaves kernel, initrd and the list of packages.
    let boot: String
    /// The tree, for programs beside it; there is none of a bake in a machine, which has no such programs.
    let tree: FileTree
    let log: BakeLog

    /// Variables that every program of a recipe has.
    var variables: [String: String] {
        version.variables.merging(["KILN_NAME": recipe.name.text, "KILN_VERSION": version.name]) { _, kiln in kiln }
    }
}

extension BakeContext {
    /// Does something twice, of which the second time has to change no path of the tree.
    ///
    /// A tool that says that it changed nothing is not believed: the trees are compared.
    ///
    /// - Parameters:
    ///   - room: where it is done.
    ///   - own: what the tool keeps its own state in, which tells of the second run.
    /// - Throws: `KilnError` with code `bake.not-repeatable`, naming what changed; what `body` throws.
    func repeatably(in room: any BuildRoom, besides own: [String] = [], _ body: () async throws -> Void) async throws {
        try await body()
        let before = try await room.listing()
        log.tell("once more: a second run has to change nothing")
        try await body()
        let changes = try await room.listing().changes(since: before)
            .without(own.compactMap { RootPath($0) })
        guard !changes.isEmpty else { return }
        throw KilnError(
            .bakeNotRepeatable,
            "a second run changed paths of the tree, expected none: \(changes.summary)",
            hint: "say what a path has to be, not what is to be done to it",
            exit: .aborted
        )
    }
}
