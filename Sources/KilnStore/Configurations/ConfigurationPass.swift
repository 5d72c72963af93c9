import Foundation
import KilnModel
import KilnSystem

/// That a server's configuration passed on an image: a record beside the attestations of images.
///
/// It holds digests only: what a configuration says may be secret.
public struct ConfigurationPass: Sendable, Hashable, Codable {
    /// What it was that passed.
    public enum Basis: String, Sendable, Hashable, Codable {
        /// A first machine, which nothing served before: it became ready, and what the lab verifies held.
        case launch
        /// A rehearsal on clones of the volumes.
        case rehearsal
        /// What the lab verifies of a replacement.
        case verify
    }

    // First, and so decoded first: what a later version wrote need not have what follows.
    private let format: RecordFormat?
    /// sha256 over what the machine got besides its image; see `ServerConfiguration`.
    public let configuration: ImageDigest
    /// The image.
    public let image: ImageDigest
    /// What passed.
    public let basis: Basis
    /// The server that it passed with.
    public let server: MemberID
    /// When it was kept, for people.
    public let recorded: Date

    /// A pass that was seen now.
    public init(_ configuration: ImageDigest, on image: ImageDigest, by basis: Basis, of server: MemberID) {
        format = RecordFormat()
        self.configuration = configuration
        self.image = image
        self.basis = basis
        self.server = server
        recorded = Date()
    }
}

/// What is known of a configuration on an image.
public enum ConfigurationVerdict: String, Sendable, Hashable, Codable, CaseIterable {
    /// It passed with just that image.
    case passed
    /// It passed with another image, of which this is a change of the image alone.
    case elsewhere
    /// It passed with none.
    case untested
}

extension ServerConfiguration {
    /// What names it: sha256 over its canonical JSON.
    ///
    /// - Throws: `KilnError` or an error of the encoder's.
    public var digest: ImageDigest {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return try FileDigest.sha256(try encoder.encode(self))
        }
    }
}
