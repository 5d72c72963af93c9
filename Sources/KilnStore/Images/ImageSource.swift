import KilnModel

/// Finds sealed images and vouches for them.
public protocol ImageSource: Sendable {
    /// The image that the reference names, its content verified against its digest.
    ///
    /// Throws `image.missing`, `image.channel-missing` or `image.digest-mismatch`; for a new generation also `image.revoked` and
    /// `image.not-attested`.
    func verifiedImage(_ reference: ImageReference, for purpose: ImagePurpose) async throws -> StoredImage
    /// By which way commands got into the guests of an image; nothing where no machine of it has shown that yet.
    func way(into image: ImageDigest) throws -> GuestWay?
    /// Notes by which way they do.
    func note(_ way: GuestWay, into image: ImageDigest) throws
}
