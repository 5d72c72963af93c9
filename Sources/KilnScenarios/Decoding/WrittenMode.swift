import KilnDocuments
import KilnModel

/// A file's mode as it is written in user-data, where nothing but digits is.
///
/// cloud-init reads text as octal, and a number as the number that it is: `0644` is 420, and `644` a mode that nobody wants.
struct WrittenMode {
    /// In octal.
    let digits: String
    /// Why it may be another than was meant; nothing where it can be no other.
    let warning: String?

    /// Reads a mode; nothing where something else is written, or a number that is none in octal and no mode that is usual.
    init?(_ scalar: YAMLScalar) {
        let written = scalar.text.hasPrefix("0o") ? "0" + scalar.text.dropFirst(2) : scalar.text
        let isOctal = !written.isEmpty && written.utf8.allSatisfy { (0x30...0x37).contains($0) }
        guard let number = scalar.decimal, !WrittenMode.usual.contains(written) else {
            guard isOctal else { return nil }
            (digits, warning) = (written, nil)
            return
        }
        // What programs make of 0644 where they write YAML or JSON.
        let octal = String(number, radix: 8)
        if WrittenMode.usual.contains(octal) {
            digits = "0\(octal)"
            warning = isOctal ? WrittenMode.reading(written, as: digits, not: "0\(written)") : nil
        } else {
            guard isOctal else { return nil }
            digits = written
            let other = "0\(octal), which cloud-init makes of the number"
            warning = octal == written ? nil : WrittenMode.reading(written, as: "0\(written)", not: other)
        }
    }

    private static func reading(_ written: String, as taken: String, not other: String) -> String {
        "\(written) without quotes is taken as the mode \(taken), and not as \(other); write the one that is meant in quotes"
    }

    // None of them is another one's number in decimal digits.
    private static let usual: Set = [
        "400", "440", "444", "500", "550", "555", "600", "640", "644", "660", "664", "666", "700", "750", "755", "770",
        "775", "777",
    ]
}
