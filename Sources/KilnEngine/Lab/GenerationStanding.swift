import KilnModel
import KilnStore
import Synchronization

/// What is said of what a generation was made from.
public struct GenerationStanding: Sendable, Hashable, Codable {
    /// What the last tests of its image say.
    public let tests: TestVerdict
    /// Why its image is revoked; nothing where it is not.
    public let revoked: String?
    /// What is known of its server's configuration; nothing of a generation that an older Kiln made.
    public let configuration: ConfigurationVerdict?

    /// Whether its image passed its last tests, and is not revoked.
    public var isAttested: Bool { tests == .passed && revoked == nil }

    /// What a person has to know, in a few words each; nothing where all of it passed.
    public var remarks: [String] {
        let image: String? =
            if revoked != nil { "revoked" } else {
                switch tests {
                case .passed: nil
                case .untested: "untested"
                case .flaky: "flaky tests"
                case .failed: "failed tests"
                }
            }
        return [image, configuration == .untested ? "configuration untested" : nil].compactMap(\.self)
    }
}

/// A channel that a server follows, and that points to another image by now.
public struct MovedChannel: Sendable, Hashable, Codable {
    /// The channel, as `NAME@CHANNEL`.
    public let channel: ImageReference
    /// What the next generation would be made from.
    public let image: ServerStatus.Image
}

/// What is said of images and configurations, each looked up once for all servers of a listing.
final class Standings: Sendable {
    private struct Subject: Hashable {
        let image: ImageDigest
        let configuration: ImageDigest?
    }

    private let images: any ImageSource
    private let known = Mutex<[Subject: GenerationStanding?]>([:])
    private let targets = Mutex<[ImageReference: ServerStatus.Image?]>([:])

    init(_ images: any ImageSource) { self.images = images }

    /// What is said of what a generation was made from; nothing where that can't be read.
    func of(_ image: ImageDigest, configuredAs configuration: ImageDigest?) -> GenerationStanding? {
        let subject = Subject(image: image, configuration: configuration)
        if let known = known.withLock({ $0[subject] }) { return known }
        let found = try? look(subject)
        known.withLock { $0[subject] = .some(found) }
        return found
    }

    /// The channel that a server's image is declared by, where a new generation of the server would get another image.
    ///
    /// A channel that points to nothing, or to what is revoked or fails its tests by now, makes nobody due.
    func moved(_ declared: ImageReference, from image: ImageDigest) -> MovedChannel? {
        guard case .channel = declared.selector, let target = target(of: declared), target.digest != image else {
            return nil
        }
        return MovedChannel(channel: declared, image: target)
    }

    private func look(_ subject: Subject) throws -> GenerationStanding {
        let judgement = try images.judgement(on: subject.image)
        return GenerationStanding(
            tests: judgement.verdict,
            revoked: judgement.revoked,
            configuration: try subject.configuration.map { try images.verdict(on: $0, with: subject.image) }
        )
    }

    private func target(of channel: ImageReference) -> ServerStatus.Image? {
        if let known = targets.withLock({ $0[channel] }) { return known }
        let manifest = try? images.usable(channel, .attested).manifest
        let found = manifest.map { ServerStatus.Image(name: $0.name, version: $0.version, digest: $0.digest) }
        targets.withLock { $0[channel] = .some(found) }
        return found
    }
}
