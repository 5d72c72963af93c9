import KilnDocuments
import KilnModel

extension TextForm {
    static let suite = word("a suite's code name")
    static let variant = word("a variant of mmdebstrap")
    static let package = word("a package's name")

    static let mirror = TextForm(
        DebianMirror.expected,
        pattern: "^(deb [ -~]+|[a-z][a-z0-9+]*:/[^\\s\\[\\]\"]+)$"
    ) { text in
        DebianMirror.accepted(text) != nil
    }

    static let keyring = TextForm("the path of a file of OpenPGP keys", pattern: "^[^\\n]+$") { text in
        !text.isEmpty && !text.contains("\n")
    }

    /// A word of the Debian archive: it becomes part of a comma-separated argument.
    private static func word(_ what: String) -> TextForm {
        TextForm("\(what), of a-z, 0-9, '.', '+' and '-'", pattern: "^[a-z0-9.+][a-z0-9.+-]*$") { text in
            let isWord = text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte) || ".+-".utf8.contains(byte)
            }
            return isWord && !text.isEmpty && !text.hasPrefix("-")
        }
    }

    /// One component of a path, which can't climb.
    static let fileName = TextForm(
        "a file's name without '/', not starting with '.' or '-'",
        pattern: "^[^./-][^/]*$"
    ) { text in
        !text.isEmpty && !text.hasPrefix(".") && !text.hasPrefix("-") && !text.contains("/")
    }

    /// What stands on one line.
    static let line = TextForm("one line of text", pattern: "^[^\\n]+$") { text in
        !text.isEmpty && !text.unicodeScalars.contains("\n")
    }

    /// A path below the root of a guest.
    static let rootPath = TextForm(
        "an absolute path without '.' and '..'",
        pattern: "^(?![\\s\\S]*/[.][.]?(/|$))/+[^/]"
    ) { text in
        RootPath(written: text).map { $0 != .root } ?? false
    }

    static let cloudInitModule = TextForm(
        "a module of cloud-init",
        pattern: "^[a-z][a-z0-9_]*$",
        accepts: CloudConfigKey.isModule
    )

    static let version = TextForm(
        "a version: 1 to 40 letters, digits, '.', '_', '+' and '-', starting with a letter or digit",
        pattern: "^[A-Za-z0-9][A-Za-z0-9._+-]{0,39}$",
        accepts: ImageReference.acceptsVersion
    )

    /// A variable for the assembling program that is none of Kiln's own.
    static let variable = TextForm(
        "a variable such as GREETING: A-Z, 0-9 and '_', starting with a letter and not with KILN_",
        pattern: "^(?!KILN_)[A-Z][A-Z0-9_]*$"
    ) { text in
        guard let first = text.utf8.first, (0x41...0x5a).contains(first), !text.hasPrefix("KILN_") else { return false }
        return text.utf8.allSatisfy { (0x41...0x5a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5f }
    }
}
