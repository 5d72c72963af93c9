import Foundation

/// A name that a user gives to a lab, server, volume, port or image.
///
/// Names become path components, libvirt domain names, XML text and process arguments. Instead of escaping them
/// everywhere, a name is accepted only if it means itself in all of these places: 1 to 40 characters from `a-z`, `0-9`
/// and `-`, starting with a letter and not ending with `-`.
public struct Name: Sendable, Hashable, Comparable, Codable, CustomStringConvertible {
    /// The longest accepted name, in characters.
    public static let longest = 40

    /// The name as written.
    public let text: String

    /// Accepts `text` if it follows the rule of the type.
    ///
    /// - Throws: `KilnError` with code `name.invalid`, quoting the rule.
    public init(_ text: String) throws {
        guard Name.accepts(text) else {
            throw KilnError(
                .nameInvalid,
                "\(Name.quoted(text)) is not a name: expected 1 to \(Name.longest) characters from a-z, 0-9 and '-', "
                    + "starting with a letter and not ending with '-'",
                hint: "choose a name such as 'web' or 'db-1'",
                exit: .invalidFile
            )
        }
        self.text = text
    }

    /// Decodes a name, refusing what ``init(_:)`` refuses.
    public init(from decoder: any Decoder) throws {
        try self.init(try decoder.singleValueContainer().decode(String.self))
    }

    /// Encodes the bare text.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }

    /// The name as written.
    public var description: String { text }

    /// Alphabetical order of the text.
    public static func < (left: Name, right: Name) -> Bool { left.text < right.text }

    /// Whether `text` follows the rule.
    public static func accepts(_ text: String) -> Bool {
        let letters = UInt8(ascii: "a")...UInt8(ascii: "z")
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        let bytes = Array(text.utf8)
        guard let first = bytes.first, let last = bytes.last, bytes.count <= longest else { return false }
        guard letters.contains(first), last != UInt8(ascii: "-") else { return false }
        return bytes.allSatisfy { letters.contains($0) || digits.contains($0) || $0 == UInt8(ascii: "-") }
    }

    /// Hostile text made safe to print: control characters escaped, cut after 60 characters.
    public static func quoted(_ text: String) -> String {
        let shown = text.unicodeScalars.prefix(60).map { scalar -> String in
            scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value)
                ? "\\u{\(String(scalar.value, radix: 16))}" : String(scalar)
        }
        return "'\(shown.joined())\(text.unicodeScalars.count > 60 ? "…" : "")'"
    }
}

extension Name: CodingKeyRepresentable {
    /// A name is written as its text where it is the key of a dictionary.
    public var codingKey: any CodingKey { TextKey(stringValue: text) }

    /// Reads a dictionary key, or nothing where the key is not a name.
    public init?(codingKey: some CodingKey) {
        guard Name.accepts(codingKey.stringValue) else { return nil }
        text = codingKey.stringValue
    }

    private struct TextKey: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}
