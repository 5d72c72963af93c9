/// A record beside an image: what was expected of it, and what was found.
///
/// It belongs to this digest of the image and to this digest of the suite: with other tests the image is untested again.
public struct Attestation: Sendable, Hashable, Codable {
    /// The image.
    public let image: ImageDigest
    /// sha256 over the checks, in order, with their settings, and over the built-in ones' version.
    public let suite: ImageDigest
    /// Everything that was expected, in the order in which it was looked at; never empty.
    public let assertions: [Assertion]
    /// What the machines ran on, such as `tcg` or `kvm`; nothing where none was booted.
    public let acceleration: String?
    /// How long it took, in seconds.
    public let seconds: Double

    /// An attestation from its parts.
    public init(
        image: ImageDigest,
        suite: ImageDigest,
        assertions: [Assertion],
        acceleration: String?,
        seconds: Double
    ) {
        self.image = image
        self.suite = suite
        self.assertions = assertions
        self.acceleration = acceleration
        self.seconds = seconds
    }

    /// Whether the image passed: everything held, and something was asked.
    public var isPass: Bool { outcome == .passed && !assertions.isEmpty }

    /// The worst outcome of all.
    public var outcome: Assertion.Outcome {
        if assertions.contains(where: { $0.outcome == .failed }) { return .failed }
        return assertions.contains { $0.outcome == .flaky } ? .flaky : .passed
    }
}
