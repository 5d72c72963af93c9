import Foundation
import KilnModel
import KilnStore

/// What is expected of an image: the tests of its recipe, and those that every image has to pass.
public struct ImageSuite: Sendable, Hashable {
    /// How much is looked at besides the recipe's tests.
    public enum Depth: String, Sendable, Hashable, Codable {
        /// One boot.
        case boot
        /// Two machines that are compared, and a second boot of one of them.
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
    public init(of image: ImageManifest, tests: [Check], all: Bool = false) {
        self.init(tests: tests, depth: image.recipe == nil && !all ? .boot : .full)
    }

    /// Raised when the tests that every image has to pass change: what passed those of before is untested again.
    static let builtInVersion = 1

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

    /// The tests that files tell, which are looked at first.
    var offline: [Check] { tests.filter(\.probe.isOffline) }

    /// The tests that take a running machine.
    var booted: [Check] { tests.filter { !$0.probe.isOffline } }

    /// The ports of the guest that the tests ask.
    var ports: [Name: PortSpec] {
        let named = tests.compactMap(\.probe.port).compactMap { name in
            TestedPort.number(of: name).map { (name, PortSpec(guest: $0)) }
        }
        return Dictionary(named, uniquingKeysWith: { first, _ in first })
    }

    /// The most time that the tests of the recipe may take, each asked twice.
    var patience: Duration {
        tests.reduce(.zero) { $0 + ($1.timeout + ($1.eventually?.within ?? .zero)) * 2 + .seconds(2) }
    }
}
