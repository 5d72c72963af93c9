import Foundation
import KilnModel
import KilnSystem

/// A publisher's list of checksums, such as `SHA512SUMS`.
///
/// Lines of GNU's form (`HEX  NAME`, `HEX *NAME`) and of BSD's (`SHA256 (NAME) = HEX`), or one checksum and no name; all else
/// is passed over. Of a list inside of a PGP signature only what the signature covers counts. The signature itself is not
/// checked.
struct ChecksumList: Sendable {
    /// A checksum, and the file that it is of.
    struct Entry: Sendable, Hashable {
        /// As it is written, maybe with folders before it; nothing where the line has none.
        let path: String?
        let checksum: Checksum

        /// The last part of the path.
        var name: String? { path?.split(separator: "/").last.map(String.init) }
    }

    /// In the order of the list.
    let entries: [Entry]
    /// Whether a PGP signature is around it.
    let isSigned: Bool

    /// The longest list that is read.
    static let longest = 4 << 20

    /// Reads a list.
    init(_ text: String) {
        let lines = text.split(whereSeparator: \.isNewline).map(Substring.init)
        let covered = ChecksumList.covered(lines)
        isSigned = covered != nil
        entries = (covered ?? lines).compactMap(ChecksumList.entry)
    }

    /// The checksum of the file `name`.
    ///
    /// - Parameter source: the list's own name, for the error.
    /// - Throws: `KilnError` with code `checksum.missing` or `checksum.ambiguous`.
    func checksum(of name: String, source: String) throws -> Checksum {
        if entries.count == 1, let only = entries.first, only.path == nil { return only.checksum }
        let exact = entries.filter { $0.path == name }
        let found = exact.isEmpty ? entries.filter { $0.name == name } : exact
        // A list may have it by both functions.
        for algorithm in Checksum.Algorithm.allCases.reversed() {
            let checksums = Set(found.map(\.checksum).filter { $0.algorithm == algorithm })
            if checksums.count > 1 { throw ambiguous(name, source) }
            if let checksum = checksums.first { return checksum }
        }
        throw missing(name, source)
    }

    // MARK: - Lines

    /// What a clear-signed text says, without the signature; nothing where it is none.
    ///
    /// https://www.rfc-editor.org/rfc/rfc9580.html#name-cleartext-signature-framework
    private static func covered(_ lines: [Substring]) -> [Substring]? {
        guard let begin = lines.firstIndex(of: "-----BEGIN PGP SIGNED MESSAGE-----") else { return nil }
        let rest = lines[(begin + 1)...]
        let end = rest.firstIndex(of: "-----BEGIN PGP SIGNATURE-----") ?? rest.endIndex
        // The armour's own headers, such as 'Hash: SHA256', are no entries; a line that begins with '-' is escaped.
        return rest[..<end].map { $0.hasPrefix("- ") ? $0.dropFirst(2) : $0 }
    }

    private static func entry(_ line: Substring) -> Entry? {
        guard line.utf8.count <= 4096 else { return nil }
        let text = line.trimmingCharacters(in: .whitespaces)
        return bsd(text) ?? gnu(text)
    }

    /// `SHA256 (NAME) = HEX`; openssl writes it without the blanks, and calls the function `SHA2-256`.
    private static func bsd(_ text: String) -> Entry? {
        guard let open = text.firstIndex(of: "("), let close = text.lastIndex(of: ")"), open < close,
            let checksum = Checksum(text[text.index(after: close)...].trimmingCharacters(in: Self.separators))
        else { return nil }
        let function = text[..<open].trimmingCharacters(in: .whitespaces).lowercased()
        guard function.replacing("sha2-", with: "sha") == checksum.algorithm.rawValue else { return nil }
        return Entry(path: plain(text[text.index(after: open)..<close]), checksum: checksum)
    }

    private static let separators = CharacterSet(charactersIn: " \t=")

    private static func gnu(_ text: String) -> Entry? {
        // A '\' says that the name is escaped, as only odd names are.
        let line = text.drop { $0 == "\\" }
        let digits = line.prefix { $0.isHexDigit }
        guard let checksum = Checksum(String(digits)) else { return nil }
        let rest = line[digits.endIndex...]
        if rest.isEmpty { return Entry(path: nil, checksum: checksum) }
        guard let blank = rest.first, blank == " " || blank == "\t" else { return nil }
        let name = rest.drop { $0 == " " || $0 == "\t" }
        return Entry(path: plain(name.hasPrefix("*") ? name.dropFirst() : name), checksum: checksum)
    }

    private static func plain(_ path: Substring) -> String {
        var path = path
        while path.hasPrefix("./") { path = path.dropFirst(2) }
        return String(path)
    }

    // MARK: - Errors

    private func missing(_ name: String, _ source: String) -> KilnError {
        let names = entries.map { $0.path.map { Name.quoted($0) } ?? "one without a name" }
        let shown = names.prefix(12).joined(separator: ", ") + (names.count > 12 ? " and \(names.count - 12) more" : "")
        return KilnError(
            .checksumMissing,
            "\(source) has no sha256 or sha512 of \(Name.quoted(name)): "
                + (names.isEmpty ? "it has none at all" : "it has \(shown)"),
            hint: names.isEmpty
                ? "name the publisher's list itself, such as SHA512SUMS, and not a page that leads to it"
                : "name the list of that very release, or give the checksum with --sha256 or --sha512",
            exit: .invalidFile
        )
    }

    private func ambiguous(_ name: String, _ source: String) -> KilnError {
        KilnError(
            .checksumAmbiguous,
            "\(source) has different checksums of files named \(Name.quoted(name))",
            hint: "give the right one with --sha256 or --sha512",
            exit: .invalidFile
        )
    }
}
