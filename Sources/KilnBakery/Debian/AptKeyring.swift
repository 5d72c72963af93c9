import Foundation
import KilnModel
import KilnStore
import KilnSystem

/// OpenPGP keys that sign an archive.
struct AptKeyring: Sendable, Hashable {
    /// Where they come from, for people.
    let file: String
    let content: Data

    /// - Throws: `KilnError` with code `bake.no-keyring`.
    init(file: String) throws {
        guard let content = FileManager.default.contents(atPath: file), AptKeyring.isKeyring(content) else {
            throw KilnError(
                .bakeNoKeyring,
                "\(file) can't be read or holds no OpenPGP keys",
                hint: "name a keyring such as the package debian-archive-keyring installs below /usr/share/keyrings",
                exit: .aborted
            )
        }
        self.init(file: file, content: content)
    }

    init(file: String, content: Data) {
        self.file = file
        self.content = content
    }

    /// How apt tells the two forms apart.
    var ending: String { AptKeyring.isArmored(content) ? "asc" : "gpg" }

    /// Armored, or packets, the first of which says with its highest bit that it is one.
    static func isKeyring(_ content: Data) -> Bool {
        isArmored(content) || content.first.map { $0 & 0x80 != 0 } ?? false
    }

    private static func isArmored(_ content: Data) -> Bool { content.starts(with: Data("-----BEGIN PGP".utf8)) }

    /// What the package debian-archive-keyring installs, under either of its names; none where it isn't there.
    static func ofDebian() throws -> [AptKeyring] {
        let names = ["pgp", "gpg"].map { "/usr/share/keyrings/debian-archive-keyring.\($0)" }
        return try names.first { FileStamp(of: $0) != nil }.map { [try AptKeyring(file: $0)] } ?? []
    }

    /// The keys that the host's sources name.
    ///
    /// Debian's own keyring is always among them: a source may be signed by the key of the host's release only.
    ///
    /// - Parameter trusted: the files and folders that count where a source names none.
    /// - Throws: `KilnError` with code `bake.no-keyring`.
    static func of(_ signers: [AptSourceEntry.Signers], trusted: [String]) throws -> [AptKeyring] {
        var found = try ofDebian()
        for signer in signers {
            let more: [AptKeyring]
            switch signer {
            case .files(let files): more = try files.map(AptKeyring.init(file:))
            case .key(let text): more = [AptKeyring(file: "the host's sources", content: Data(text.utf8))]
            case .host: more = trusted.flatMap(inHost)
            }
            found += more.filter { !found.contains($0) }
        }
        return found
    }

    /// The keyrings at a path, which is a file or a folder; apt, too, passes over what it can't read there.
    private static func inHost(_ path: String) -> [AptKeyring] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        let files = names.isEmpty ? [path] : names.sorted().map { "\(path)/\($0)" }
        return files.compactMap { try? AptKeyring(file: $0) }
    }

    /// Nobody said whose signature counts.
    static func missing(for mirrors: [String]) -> KilnError {
        KilnError(
            .bakeNoKeyring,
            "there is no keyring to check \(mirrors.joined(separator: ", ")) with",
            hint:
                "install the package debian-archive-keyring, or name its keyring by \(DebianMirror.keyringVariable)=FILE "
                + "in the environment or 'keyring: FILE' below 'debian' in the recipe",
            exit: .aborted
        )
    }
}
