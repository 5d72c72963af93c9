import KilnModel

extension ImageStore {
    /// The image whose servers this one is meant to replace, and whose volumes it has to understand: the newest older version
    /// of its name that passed its tests, else the nearest image of its name that it was made from.
    ///
    /// What is revoked is none.
    ///
    /// - Throws: `KilnError` with code `image.manifest-damaged` or `state.unreadable`.
    public func predecessor(of image: ImageManifest) throws -> StoredImage? {
        let older = try versions(of: image.name).filter { VersionOrder.isOlder($0.version, image.version) }
        let tested = older.reversed().lazy.compactMap { version in
            try? self.usable(ImageReference(name: image.name, selector: .digest(version.digest)), .attested)
        }
        if let found = tested.first(where: { $0.manifest.digest != image.digest }) { return found }
        return image.ancestors.lazy.compactMap { ancestor in
            try? self.usable(ImageReference(name: image.name, selector: .digest(ancestor)))
        }.first { $0.manifest.digest != image.digest }
    }
}
