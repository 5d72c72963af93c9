import Foundation
import KilnEngine
import KilnModel
import KilnStore
import KilnSystem

/// Bakes recipes into the store.
///
/// Works as root and as a user with subordinate ids (`/etc/subuid`): then trees are handled in a user namespace, so that
/// their owners come out right. All versions of a recipe share one run of mmdebstrap.
public struct Baker: Sendable {
    /// Where the images go.
    public let store: ImageStore
    /// Lists the roots, so that drift can be measured against them.
    let roots: any RootInspection
    /// Takes a line whenever there is something to tell.
    let tell: @Sendable (String) -> Void

    /// A baker for a store; `tell` may be called from any task.
    public init(store: ImageStore, roots: any RootInspection, tell: @escaping @Sendable (String) -> Void) {
        self.store = store
        self.roots = roots
        self.tell = tell
    }

    /// Bakes all versions of a recipe, or the given ones, except those that were baked from the same content already.
    ///
    /// An image appears in the store complete or not at all: cancelled or failed, it leaves nothing; killed, it leaves a
    /// folder in the store's `work/` that the next bake removes.
    /// - Parameters:
    ///   - wanted: names of versions; all if empty.
    ///   - again: bake even what is in the store already, for newer packages.
    /// - Throws: `KilnError` with code `recipe.version-missing`, `recipe.missing`, `bake.…`,
    ///   `tool.…` or `file.…`; `CancellationError`.
    /// - Returns: the images, in the order of the versions.
    public func bake(_ recipe: Recipe, versions wanted: [String] = [], again: Bool = false) async throws
        -> [StoredImage]
    {
        let versions = try selected(wanted, of: recipe)
        let due = try versions.filter { version in
            if again { return true }
            return try baked(recipe, version) == nil
        }
        for version in versions where !due.contains(version) {
            tell("\(recipe.name):\(version.name) is baked already")
            if let image = try baked(recipe, version) { _ = try await store.list(image, by: roots) }
        }
        if !due.isEmpty { try await bake(recipe, due: due) }
        return try versions.map {
            try store.resolve(ImageReference(name: recipe.name, selector: .version($0.name)))
        }
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

    private func baked(_ recipe: Recipe, _ version: Recipe.Version) throws -> StoredImage? {
        let digest = try recipe.contentDigest(of: version)
        guard let present = try store.versions(of: recipe.name).first(where: { $0.version == version.name }),
            let image = try? store.image(present.digest, as: recipe.name, version: version.name),
            image.manifest.recipe == digest
        else { return nil }
        return image
    }

    private func bake(_ recipe: Recipe, due: [Recipe.Version]) async throws {
        switch recipe.source {
        case .assembled(let assembly): try await bake(assembly, of: recipe, due: due)
        case .published(let download):
            for version in due { try await take(download, of: recipe, version) }
        }
    }

    private func bake(_ assembly: Recipe.Assembly, of recipe: Recipe, due: [Recipe.Version]) async throws {
        await removeAbandonedWork()
        let work = try WorkFolder(in: store.work)
        let path = work.path
        do {
            let tree = try await fetch(assembly.debian, for: recipe.name, into: path)
            for version in due {
                let run = BakeRun(
                    baker: self,
                    recipe: recipe,
                    assembly: assembly,
                    version: version,
                    tree: tree,
                    folder: path
                )
                try await run.run()
            }
        } catch {
            await Namespace.remove(path)
            throw error
        }
        await Namespace.remove(path)
        // Once more: where a bake was killed a moment ago, its programs may still have written at the first time.
        await removeAbandonedWork()
    }

    private func removeAbandonedWork() async {
        for folder in WorkFolder.abandoned(in: store.work) { await Namespace.remove(folder) }
    }
}
