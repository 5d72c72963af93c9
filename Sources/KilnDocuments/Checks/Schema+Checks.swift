import KilnModel

extension Schema {
    static func atLeastNothing(_ about: String) -> JSONValue {
        ["type": "integer", "minimum": 0, "description": .string(about)]
    }

    /// A number, or bounds for one.
    static func number(_ about: String) -> JSONValue {
        let bounds: JSONValue = [
            "type": "object", "additionalProperties": false, "minProperties": 1,
            "properties": .object(
                Dictionary(uniqueKeysWithValues: NumberFields.allCases.map { ($0.rawValue, $0.schema) })
            ),
        ]
        return titled("number", either([atLeastNothing("The number itself."), bounds], about))
    }

    static func pattern(_ about: String) -> JSONValue { titled("pattern", text(about)) }

    package static func patterns(_ about: String) -> JSONValue {
        either([pattern("One."), list(of: pattern("One."), "Several.")], about)
    }

    /// Octal digits, which YAML's readers take for a number where they are not in quotes.
    static func octal(_ about: String) -> JSONValue {
        either([pattern("^[0-7]{3,4}$", about), whole(0...7777, about)], about)
    }
}

extension TextForm {
    /// A path in a guest; any file can be meant.
    static let guestFile = TextForm(
        "an absolute path without '.' and '..'",
        pattern: "^(?![\\s\\S]*/[.][.]?(/|$))/"
    ) { text in
        RootPath(written: text) != nil
    }

    static let packageName = TextForm(
        "a package's name, of a-z, 0-9, '.', '+' and '-'",
        pattern: "^[a-z0-9][a-z0-9.+-]*$"
    ) { text in
        let isWord = text.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte) || ".+-".utf8.contains(byte)
        }
        return isWord && !text.isEmpty && !".+-".contains(text.prefix(1))
    }

    // https://www.freedesktop.org/software/systemd/man/latest/systemd.unit.html
    static let unit = TextForm(
        "the name of a unit, of letters, digits and ':_.@\\-'",
        pattern: #"^[A-Za-z0-9:_.@\\][A-Za-z0-9:_.@\\-]{0,254}$"#
    ) { text in
        let isWord = text.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                || #":_.@\-"#.utf8.contains(byte)
        }
        return isWord && (1...255).contains(text.utf8.count) && !text.hasPrefix("-")
    }

    static let account = TextForm(
        "a name of at most 256 characters without blanks, ':' and ','",
        pattern: "^[^\\s:,]{1,256}$"
    ) { text in
        (1...256).contains(text.unicodeScalars.count)
            && text.unicodeScalars.allSatisfy { !$0.properties.isWhitespace && $0 != ":" && $0 != "," }
    }

    static let processName = TextForm(
        "the name of a process, of which the kernel keeps \(ProcessResource.longestName) bytes",
        pattern: "^[^\\n]{1,15}$"
    ) { text in
        (1...ProcessResource.longestName).contains(text.utf8.count) && !text.unicodeScalars.contains("\n")
    }
}
