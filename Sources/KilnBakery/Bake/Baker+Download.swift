import KilnModel
import KilnStore

extension Baker {
    /// Takes the disk of a version from the first place that has it.
    ///
    /// Only a place that has no such file, or can't be reached, is passed over, and that is told: what is there and is not what
    /// it has to be ends all.
    func take(_ download: Recipe.Download, of recipe: Recipe, _ version: Recipe.Version) async throws -> StoredImage {
        let key = try download.key(of: recipe, version)
        if let image = baked(recipe, version, key) {
            tell("\(recipe.name):\(version.name) is taken already")
            return image
        }
        let settings = recipe.settings
        var added = AddedImage(name: recipe.name, version: version.name, boot: .firmware(download.firmware))
        added.cloudInit = settings.cloudInit ?? added.cloudInit
        added.cloudInitModules = settings.cloudInitModules
        added.ssh = settings.ssh ?? added.ssh
        added.size = MachineSize(
            memory: settings.memory ?? added.size.memory,
            processors: settings.processors ?? added.size.processors,
            cpu: settings.cpu
        )
        if !settings.ephemeral.isEmpty { added.ephemeral = settings.ephemeral }
        added.recipe = key
        var rest = (download.sources[version.name] ?? [])[...]
        while let source = rest.popFirst() {
            tell("\(recipe.name):\(version.name): downloading \(source.place)")
            do {
                let image = try await store.add(source, as: added, roots: roots, note: tell)
                tell("\(recipe.name):\(version.name) is \(image.manifest.digest)")
                return image
            } catch let error as KilnError where Baker.isAway(error) && !rest.isEmpty {
                tell("\(recipe.name):\(version.name): passed over: \(error.message)")
            }
        }
        throw KilnError(
            .recipeIncomplete,
            "\(recipe.name):\(version.name) has no address to be downloaded from",
            exit: .invalidFile
        )
    }

    private static func isAway(_ error: KilnError) -> Bool {
        [.downloadRefused, .downloadFailed, .downloadStalled].contains(error.code)
    }
}

extension Recipe.Download {
    /// sha256 over what is downloaded and what is said of it.
    func key(of recipe: Recipe, _ version: Recipe.Version) throws -> ImageDigest {
        var key = KeyMaterial()
        key.add("name", "\(recipe.name):\(version.name)")
        key.add("sources", "\(sources[version.name] ?? [])")
        key.add("settings", "\(firmware.map { "\($0)" } ?? "found") \(recipe.settings)")
        return try key.digest()
    }
}
