/// One thing that was expected of an image or of a machine, with what was found.
public struct Assertion: Sendable, Hashable, Codable {
    /// How it ended.
    public enum Outcome: String, Sendable, Hashable, Codable, CaseIterable {
        /// It held.
        case passed
        /// It did not hold.
        case failed
        /// It held, but only after it had not: what may not hold the next time is no proof.
        case flaky
    }

    /// Where it was looked at.
    public enum Place: String, Sendable, Hashable, Codable, CaseIterable {
        /// On the sealed file, without a machine.
        case offline
        /// In a machine of the image.
        case booted
    }

    /// What it is about, such as `service ssh: running`.
    public let subject: String
    /// What was expected, in words.
    public let expected: String
    /// What was found; a guest's words are made printable before.
    public let found: String
    /// How it ended.
    public let outcome: Outcome
    /// Where it was looked at.
    public let place: Place
    /// How long it took, in seconds.
    public let seconds: Double

    /// An assertion from its parts.
    public init(
        subject: String,
        expected: String,
        found: String,
        outcome: Outcome,
        place: Place,
        seconds: Double
    ) {
        self.subject = subject
        self.expected = expected
        self.found = found
        self.outcome = outcome
        self.place = place
        self.seconds = seconds
    }
}
