import KilnModel
import KilnStore

extension Baker {
    /// Takes the disk of a version from the first place that has it.
    ///
    /// Only a place that has no such file, or can't be reached, is passed over, and that is told: what is there and is not what
    /// it has to be ends all.
    func take(_ download: Recipe.Download, of recipe: Recipe, _ version: Recipe.Version) async throws {
        var added = AddedImage(name: recipe.name, version: version.name, boot: .firmware(download.firmware))
        (added.cloudInit, added.cloudInitModules) = (recipe.cloudInit, recipe.cloudInitModules)
        (added.ssh, added.size) = (recipe.ssh, recipe.size)
        if !recipe.ephemeral.isEmpty { added.ephemeral = recipe.ephemeral }
        added.recipe = try recipe.contentDigest(of: version)
        var rest = (download.sources[version.name] ?? [])[...]
        while let source = rest.popFirst() {
            tell("\(recipe.name):\(version.name): downloading \(source.place)")
            do {
                let image = try await store.add(source, as: added, roots: roots, note: tell)
                return tell("\(recipe.name):\(version.name) is \(image.manifest.digest)")
            } catch let error as KilnError where Baker.isAway(error) && !rest.isEmpty {
                tell("\(recipe.name):\(version.name): passed over: \(error.message)")
            }
        }
    }

    private static func isAway(_ error: KilnError) -> Bool {
        [.downloadRefused, .downloadFailed, .downloadStalled].contains(error.code)
    }
}
