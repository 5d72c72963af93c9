/// What an error is about: a stable, dotted, machine-readable text such as `image.digest-mismatch`.
///
/// Codes are part of the command line's contract. Every code that Kiln gives is a member here, with its meaning; one that a
/// newer version wrote in a journal survives as it is.
public struct ErrorCode: RawRepresentable, Hashable, Sendable, Codable, CustomStringConvertible {
    /// The text.
    public let rawValue: String
    /// The exit codes of commands that end with it, the usual one first; none for a code of another version.
    public let exits: [ExitCode]
    /// What it means, in a few words; empty for a code of another version.
    public let meaning: String

    /// The text.
    public var description: String { rawValue }

    /// Any text is accepted.
    public init(rawValue: String) {
        self.rawValue = rawValue
        exits = []
        meaning = ""
    }

    init(_ text: String, _ exits: [ExitCode], _ meaning: String) {
        rawValue = text
        self.exits = exits
        self.meaning = meaning
    }

    init(_ text: String, _ exit: ExitCode, _ meaning: String) { self.init(text, [exit], meaning) }

    /// Codes are the same where their texts are.
    public static func == (left: ErrorCode, right: ErrorCode) -> Bool { left.rawValue == right.rawValue }

    /// Hashes the text.
    public func hash(into hasher: inout Hasher) { hasher.combine(rawValue) }

    /// Every code that Kiln gives, area by area.
    public static let index: [ErrorCode] = [
        commands, documents, labs, replacements, rollouts, readiness, state, volumes, images, guests, host, networks,
        fronts, templates, findings,
    ].flatMap(\.self)
}

extension ErrorCode: ExpressibleByStringInterpolation {
    /// A code as it is written.
    public init(stringLiteral text: String) { self.init(rawValue: text) }
}
