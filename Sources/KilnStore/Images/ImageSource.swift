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
    /// The image that the reference names, where a generation or another image may be made from it; its content is not looked
    /// at.
    ///
    /// Throws as ``verifiedImage(_:for:)`` for a new generation.
    func usable(_ reference: ImageReference, _ policy: ImagePolicy) throws -> StoredImage
    /// What is said of content, whether or not it is there.
    ///
    /// Throws `state.unreadable`.
    func judgement(on image: ImageDigest) throws -> ImageJudgement
    /// What is known of a configuration on an image.
    ///
    /// Throws `state.unreadable`.
    func verdict(on configuration: ImageDigest, with image: ImageDigest) throws -> ConfigurationVerdict
    /// Keeps it that a configuration passed on an image, durably.
    ///
    /// Throws `state.not-writable`.
    func attest(_ pass: ConfigurationPass) throws
}

/// What is said of an image by its tests and by whoever revoked it.
public struct ImageJudgement: Sendable, Hashable {
    /// What its last tests say.
    public let verdict: TestVerdict
    /// Why it is revoked; nothing where it is not.
    public let revoked: String?

    /// A judgement from its parts.
    public init(verdict: TestVerdict, revoked: String?) {
        self.verdict = verdict
        self.revoked = revoked
    }
}
