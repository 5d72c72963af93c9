/// A record that machines of an image were seen to work with one configuration from outside.
///
/// It belongs to this digest of the image and to this digest of the configuration: what was tried of another image, or with
/// other metadata, says nothing.
public struct ConfigurationAttestation: Sendable, Hashable, Codable {
    /// What passed.
    public enum Proof: String, Sendable, Hashable, Codable, CaseIterable {
        /// A rehearsal on clones of the volumes.
        case rehearsal
        /// The checks of `verify`, in a generation that was kept.
        case verify
    }

    /// The image.
    public let image: ImageDigest
    /// sha256 over what a server declares besides its image.
    public let configuration: ImageDigest
    /// What passed.
    public let proof: Proof

    /// An attestation from its parts.
    public init(image: ImageDigest, configuration: ImageDigest, proof: Proof) {
        self.image = image
        self.configuration = configuration
        self.proof = proof
    }
}
