import KilnModel

extension ImageCatalog {
    /// Why an image stays, as far as the store knows.
    public enum Need: Sendable, Hashable {
        /// A channel points to it.
        case channel(String)
        /// A channel would go back to it.
        case wayBack(String)
        /// An image was made from it.
        case child(String)
    }

    /// Who needs an image, as far as the store knows: machines are the engine's to ask.
    public func needs(of image: ImageDigest) -> [Need] {
        let pointing = channels.filter { $0.current?.digest == image }.map { Need.channel($0.title) }
        let back = channels.filter { $0.previous?.digest == image && $0.current?.digest != image }
        return pointing + back.map { .wayBack($0.title) } + children(of: image).map { .child($0.title) }
    }

    /// The images that nobody needs, by name, then those without one: no server, no channel, and no image that is needed.
    ///
    /// - Parameter isUsed: whether a server needs an image.
    public func unneeded(isUsed: (ImageDigest) throws -> Bool) rethrows -> [StoredImage] {
        var needed: Set<ImageDigest> = []
        for image in distinct {
            let isPointedTo = channels.contains { [$0.current, $0.previous].contains { $0?.digest == image.digest } }
            guard try isPointedTo || isUsed(image.digest) else { continue }
            needed.formUnion([image.digest] + ancestors(of: image))
        }
        return (images + unnamed).filter { !needed.contains($0.manifest.digest) }
    }
}
