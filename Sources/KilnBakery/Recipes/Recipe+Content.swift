import Foundation
import KilnModel
import KilnStore
import KilnSystem

extension Recipe {
    /// Raised when the baker itself starts to make other images from the same recipe.
    private static let bakerVersion = 2

    /// sha256 over everything that a version is baked from: the files of the recipe's folder and of the shared ones,
    /// with names, modes and links, and the version's name.
    ///
    /// Packages are not part of it: a mirror may have newer ones.
    ///
    /// - Throws: `KilnError` with code `recipe.missing` or `file.unreadable`.
    public func contentDigest(of version: Version) throws -> ImageDigest {
        var lines = ["kiln-bake \(Recipe.bakerVersion)", "version \(version.name)"]
        let parent = URL(fileURLWithPath: folder).deletingLastPathComponent().path
        let (shared, keyrings) =
            switch source {
            case .assembled(let assembly): (assembly.shared, assembly.debian.keyrings)
            case .published: ([], [])
            }
        for (label, path) in [("recipe", folder)] + shared.sorted().map({ ("shared/\($0)", "\(parent)/\($0)") }) {
            lines += try Recipe.entries(of: path, label: label)
        }
        // They may lie elsewhere.
        for keyring in keyrings { lines.append("keyring \(try FileDigest.sha256(of: keyring))") }
        return try FileDigest.sha256(Data(lines.joined(separator: "\n").utf8))
    }

    private static func entries(of folder: String, label: String) throws -> [String] {
        guard let names = FileManager.default.enumerator(atPath: folder)?.compactMap({ $0 as? String }) else {
            throw KilnError(
                .recipeMissing,
                "the recipe needs the folder \(folder), which is not there",
                exit: .invalidFile
            )
        }
        return try names.sorted().compactMap { name in
            let path = "\(folder)/\(name)"
            var status = stat()
            guard lstat(path, &status) == 0 else { throw FileError.failed(.fileUnreadable, "read", path) }
            let mode = String(status.st_mode & 0o111 == 0 ? 0o644 : 0o755, radix: 8)
            switch status.st_mode & S_IFMT {
            case S_IFDIR: return nil
            case S_IFLNK:
                return "\(label)/\(name) link \(try FileManager.default.destinationOfSymbolicLink(atPath: path))"
            default: return "\(label)/\(name) \(mode) \(try FileDigest.sha256(of: path))"
            }
        }
    }
}
