import Foundation
import KilnModel

extension ImageStore {
    /// What is known of all images; their content is not looked at.
    ///
    /// - Throws: `KilnError` with code `image.manifest-damaged` or `state.unreadable`.
    public func catalog() throws -> ImageCatalog {
        let images = try list()
        let named = Set(images.map(\.manifest.digest))
        let unnamed = children(of: root + "/sha256").compactMap { ImageDigest($0) }
            .filter { !named.contains($0) }.compactMap { try? image(unnamed: $0) }
        let manifests = (images + unnamed).map { ($0.manifest.digest, $0.manifest) }
        let revocations = try revocations().map { ($0.digest, $0) }
        return ImageCatalog(
            images: images,
            unnamed: unnamed,
            channels: try channels(),
            revocations: Dictionary(revocations) { _, last in last },
            verdicts: try Dictionary(manifests) { first, _ in first }.mapValues { try verdict(on: $0) }
        )
    }
}
