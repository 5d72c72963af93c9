/// The sha256 digest that names a sealed image.
public struct ImageDigest: Sendable, Hashable, Comparable, Codable, CustomStringConvertible {
    /// 64 lower-case hexadecimal digits.
    public let hex: String

    /// Accepts 64 lower-case hexadecimal digits, with or without a leading `sha256:`; nothing else.
    public init?(_ text: String) {
        let digits = text.hasPrefix("sha256:") ? String(text.dropFirst(7)) : text
        let hexadecimal = Set("0123456789abcdef".utf8)
        guard digits.utf8.count == 64, digits.utf8.allSatisfy({ hexadecimal.contains($0) }) else { return nil }
        hex = digits
    }

    /// Decodes the written form.
    public init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let digest = ImageDigest(text) else {
            throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "not a digest"))
        }
        self = digest
    }

    /// Encodes `sha256:…`.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    /// `sha256:` and the digits.
    public var description: String { "sha256:\(hex)" }

    /// The first twelve digits, for people.
    public var short: String { String(hex.prefix(12)) }

    /// Order of the digits.
    public static func < (left: ImageDigest, right: ImageDigest) -> Bool { left.hex < right.hex }
}
