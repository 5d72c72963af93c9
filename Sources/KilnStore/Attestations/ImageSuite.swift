import Foundation
import KilnModel

/// What is expected of an image: the tests of its recipe, and those that every image has to pass.
public struct ImageSuite: Sendable, Hashable {
    /// How much is looked at besides the recipe's tests.
    public enum Depth: String, Sendable, Hashable, Codable {
        /// One boot.
        case boot
        /// Two machines that are compared, a second boot of one of them, and a volume that the version before wrote.
        case full
    }

    /// The tests of the recipe and of its parents', in order.
    public let tests: [Check]
    /// How much is looked at besides.
    public let depth: Depth

    /// A suite from its parts.
    public init(tests: [Check], depth: Depth) {
        self.tests = tests
        self.depth = depth
    }

    /// The suite of an image: one that was added and not baked is not booted more than once, unless all is asked for.
    ///
    /// One with which a person went on after a failure is no bake of its recipe, and was baked all the same.
    public init(of image: ImageManifest, tests: [Check], all: Bool = false) {
        let isAdded = image.recipe == nil && image.origin == nil
        self.init(tests: tests, depth: isAdded && !all ? .boot : .full)
    }

    /// Raised when the tests that every image has to pass change: what passed those of before is untested again.
    static let builtInVersion = 2

    /// What names the suite: sha256 over its tests, their settings, and the version of those that every image has to pass.
    ///
    /// - Throws: `KilnError` or an error of the encoder's.
    public var digest: ImageDigest {
        get throws {
            struct Content: Encodable {
                let builtIn: Int
                let depth: Depth
                let tests: [Check]
            }
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            let content = Content(builtIn: Self.builtInVersion, depth: depth, tests: tests)
            return try FileDigest.sha256(try encoder.encode(content))
        }
    }

    /// The suites whose word counts for an image today: its own, and the one that asks all.
    ///
    /// - Throws: as ``digest``.
    static func current(of image: ImageManifest) throws -> Set<ImageDigest> {
        let tests = image.tests ?? []
        return [
            try ImageSuite(of: image, tests: tests).digest, try ImageSuite(of: image, tests: tests, all: true).digest,
        ]
    }
}
