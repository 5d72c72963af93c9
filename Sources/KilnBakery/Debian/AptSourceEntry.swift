import Foundation

/// The options of one entry of apt's sources, in either of their forms; apt names an entry `FILE:NUMBER`.
struct AptSourceEntry: Sendable, Hashable {
    /// By name in lower case, such as `signed-by`.
    let options: [String: String]

    /// Options that say how far an archive is trusted.
    ///
    /// Which packages are taken of it is the recipe's affair.
    private static let trust = [
        "allow-downgrade-to-insecure", "allow-insecure", "allow-weak", "check-date", "check-valid-until",
        "date-max-future", "trusted", "valid-until-max", "valid-until-min",
    ]

    /// Reads the entry from its file; without options where it can't be found.
    init(named name: String) {
        guard let colon = name.lastIndex(of: ":"), let number = Int(name[name.index(after: colon)...]) else {
            self.init(text: "", number: 1, isDeb822: false)
            return
        }
        let file = String(name[..<colon])
        let text = String(decoding: FileManager.default.contents(atPath: file) ?? Data(), as: UTF8.self)
        self.init(text: text, number: number, isDeb822: file.hasSuffix(".sources"))
    }

    /// - Parameter number: from 1: of the line, or with deb822 of the stanza.
    init(text: String, number: Int, isDeb822: Bool) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        options =
            isDeb822 ? AptSourceEntry.stanza(number, of: lines) : AptSourceEntry.line(number, of: lines)
    }

    /// As they stand in a line of another list: `[trusted=yes] `, or nothing.
    var trustInLine: String {
        let kept = AptSourceEntry.trust.compactMap { name in options[name].map { "\(name)=\($0)" } }
        return kept.isEmpty ? "" : "[\(kept.joined(separator: " "))] "
    }

    /// What the archive has to be signed by.
    var signers: Signers { Signers(options["signed-by"] ?? "") }

    /// A line is `deb [NAME=VALUE NAME=VALUE] URI RELEASE COMPONENT…`.
    private static func line(_ number: Int, of lines: [String]) -> [String: String] {
        guard lines.indices.contains(number - 1) else { return [:] }
        let line = lines[number - 1]
        guard let open = line.firstIndex(of: "["), let close = line[open...].firstIndex(of: "]"),
            line[..<open].trimmingCharacters(in: .whitespaces) == "deb"
        else { return [:] }
        var found: [String: String] = [:]
        for option in line[line.index(after: open)..<close].split(whereSeparator: \.isWhitespace) {
            let parts = option.split(separator: "=", maxSplits: 1).map(String.init)
            if parts.count == 2 { found[parts[0].lowercased()] = parts[1].trimmingCharacters(in: ["\""]) }
        }
        return found
    }

    /// A line is `Name: value`, or begins with a space and goes on with the one before.
    ///
    /// A comment is a line of its own anywhere.
    private static func stanza(_ number: Int, of lines: [String]) -> [String: String] {
        let blank = { (line: String) in line.allSatisfy(\.isWhitespace) }
        let stanzas = lines.filter { !$0.hasPrefix("#") }.split(whereSeparator: blank)
        guard stanzas.indices.contains(number - 1) else { return [:] }
        var found: [String: String] = [:]
        var current = ""
        for line in stanzas[number - 1] {
            if line.first?.isWhitespace == true {
                found[current]?.append("\n" + line.trimmingCharacters(in: .whitespaces))
            } else if let colon = line.firstIndex(of: ":") {
                current = line[..<colon].lowercased()
                found[current] = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
            }
        }
        return found
    }
}

extension AptSourceEntry {
    /// Whose signature on an archive counts.
    enum Signers: Sendable, Hashable {
        /// Of any key that the host trusts; fingerprints choose among these, too.
        case host
        /// Of a key in one of these files.
        case files([String])
        /// Of the key that stands in the sources themselves.
        case key(String)

        /// The value of `Signed-By`.
        init(_ value: String) {
            if value.contains("-----BEGIN PGP") {
                // A line of a dot is an empty one in deb822.
                let lines = value.split(separator: "\n").map { $0 == "." ? "" : String($0) }
                self = .key(lines.joined(separator: "\n") + "\n")
                return
            }
            let files = value.split { $0 == "," || $0.isWhitespace }.map(String.init).filter { $0.hasPrefix("/") }
            self = files.isEmpty ? .host : .files(files)
        }
    }
}
