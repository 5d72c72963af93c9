import KilnModel

/// A scalar as written, and what readers of YAML take it for.
package struct YAMLScalar: Sendable, Hashable {
    /// What a plain scalar means under YAML 1.1, which cloud-init (PyYAML) reads.
    package enum Meaning: Sendable, Hashable {
        case text
        case nothing
        case bool(Bool)
        case whole(Int64)
        case fraction(Double)
    }

    package let text: String
    /// Written without quotes and not as a block, so that its characters decide its type.
    package let isPlain: Bool

    package init(text: String, isPlain: Bool) {
        self.text = text
        self.isPlain = isPlain
    }

    /// What the scalar means; quoted text is always text.
    ///
    /// The rules are those of https://yaml.org/type/ as far as PyYAML follows them: `yes` and `off` are booleans,
    /// `0644` is octal, `1:30` is 90. A date stays text.
    package var meaning: Meaning {
        guard isPlain else { return .text }
        switch text {
        case "", "~", "null", "Null", "NULL": return .nothing
        case "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON": return .bool(true)
        case "false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF": return .bool(false)
        default: return number ?? .text
        }
    }

    /// The number where it is written as plain decimal digits; Kiln's own fields take no other notation.
    package var decimal: Int? {
        guard isPlain, text == "0" || !text.hasPrefix("0"), text.utf8.allSatisfy({ (0x30...0x39).contains($0) })
        else { return nil }
        return Int(text)
    }

    /// The scalar in words, for "found …".
    package var found: String {
        switch meaning {
        case .text: Name.quoted(text)
        case .nothing: "nothing"
        case .bool: "the boolean \(text)"
        case .whole, .fraction: "the number \(text)"
        }
    }

    private var number: Meaning? {
        guard let first = text.utf8.first, (0x30...0x39).contains(first) || "+-.".utf8.contains(first) else {
            return nil
        }
        let sign: Int64 = text.hasPrefix("-") ? -1 : 1
        let unsigned = text.hasPrefix("-") || text.hasPrefix("+") ? String(text.dropFirst()) : text
        let digits = unsigned.replacing("_", with: "")
        if let value = YAMLScalar.whole(digits), unsigned.first != "_" { return .whole(sign * value) }
        if digits.contains("."), digits.utf8.allSatisfy({ "0123456789.eE+-".utf8.contains($0) }),
            let value = Double(digits), value.isFinite
        {
            return .fraction(Double(sign) * value)
        }
        return nil
    }

    private static func whole(_ digits: String) -> Int64? {
        if digits.hasPrefix("0b") { return unsigned(digits.dropFirst(2), radix: 2) }
        if digits.hasPrefix("0x") { return unsigned(digits.dropFirst(2), radix: 16) }
        if digits.hasPrefix("0"), digits.count > 1 { return unsigned(digits.dropFirst(), radix: 8) }
        guard digits.contains(":") else { return unsigned(digits[...], radix: 10) }
        let parts = digits.split(separator: ":", omittingEmptySubsequences: false)
        var total: Int64 = 0
        for (index, part) in parts.enumerated() {
            guard let value = unsigned(part, radix: 10), index == 0 || (value < 60 && part.count <= 2) else {
                return nil
            }
            let (product, overflow) = total.multipliedReportingOverflow(by: 60)
            guard !overflow, product <= Int64.max - value else { return nil }
            total = product + value
        }
        return total
    }

    private static func unsigned(_ digits: Substring, radix: Int) -> Int64? {
        guard let first = digits.first, first.isHexDigit else { return nil }
        return Int64(digits, radix: radix)
    }
}
