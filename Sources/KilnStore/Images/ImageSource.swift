import KilnModel

/// Finds sealed images and vouches for them.
public protocol ImageSource: Sendable {
    /// The image that the reference names, its content verified against its digest.
    ///
    /// Throws `image.missing` or `image.digest-mismatch`.
    func verifiedImage(_ reference: ImageReference) async throws -> StoredImage
}
