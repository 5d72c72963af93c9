import Foundation
import KilnModel

/// JSON in which every text is the same to a reader of YAML 1.1, as cloud-init's is.
enum SeedText {
    /// The document, indented, with sorted keys.
    ///
    /// To YAML some characters are breaks of lines, or none that a file may hold, which stand for themselves in JSON. Escapes
    /// mean the same to both, but only up to U+FFFF.
    static func json(_ value: JSONValue) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
        let text = String(decoding: try encoder.encode(value), as: UTF8.self)
        var escaped = String.UnicodeScalarView()
        escaped.reserveCapacity(text.unicodeScalars.count)
        for scalar in text.unicodeScalars {
            if isSpecial(scalar) { escaped.append(contentsOf: escape(scalar)) } else { escaped.append(scalar) }
        }
        return String(escaped).replacing(mail) { found in found.output.replacing("-", with: #"\u002d"#) }
    }

    // https://yaml.org/spec/1.1/#c-printable and #b-char; U+FEFF is a mark, not text.
    private static func isSpecial(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x7f...0x9f, 0x2028, 0x2029, 0xfeff, 0xfffe, 0xffff: true
        default: false
        }
    }

    private static func escape(_ scalar: Unicode.Scalar) -> String.UnicodeScalarView {
        let digits = String(scalar.value, radix: 16)
        return ("\\u" + String(repeating: "0", count: 4 - digits.count) + digits).unicodeScalars
    }

    // With this word anywhere near its start cloud-init takes user-data for a mail.
    private static var mail: Regex<Substring> { /(?i:mime-version:)/.matchingSemantics(.unicodeScalar) }
}
