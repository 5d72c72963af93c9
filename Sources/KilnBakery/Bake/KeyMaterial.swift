import Foundation
import KilnModel
import KilnStore
import KilnSystem

/// What the content of a step depends on, as labelled texts: their digest is the step's key.
///
/// It holds no times and no places, so the same recipe has the same keys in any folder and on any day.
struct KeyMaterial: Sendable, Hashable, Codable {
    /// One thing that the step depends on.
    struct Part: Sendable, Hashable, Codable {
        /// What it is, for people: `file root/etc/motd`.
        let label: String
        /// Its text, or the digest of its content.
        let text: String
    }

    private(set) var parts: [Part] = []

    mutating func add(_ label: String, _ text: String) { parts.append(Part(label: label, text: text)) }

    mutating func add(_ label: String, _ texts: [String]) { add(label, "\(texts)") }

    mutating func add(_ label: String, _ texts: [String: String]) {
        for (key, text) in texts.sorted(by: { $0.key < $1.key }) { add("\(label) \(key)", text) }
    }

    /// What a program of a recipe finds in its environment, of which it may make anything.
    mutating func add(environmentOf recipe: Recipe, _ version: Recipe.Version, own: [String: String] = [:]) {
        add("name", recipe.name.text)
        add("version", version.name)
        add("variable", version.variables.merging(own) { _, own in own })
    }

    /// The files at a path: names, whether they may be executed, links, and the digest of their content.
    ///
    /// - Parameter label: what they are called, whatever the path is.
    /// - Throws: `KilnError` with code `file.unreadable`.
    mutating func add(files path: String, as label: String) throws {
        for name in try KeyMaterial.names(below: path) {
            let (file, label) = name.isEmpty ? (path, label) : ("\(path)/\(name)", "\(label)/\(name)")
            var status = stat()
            guard lstat(file, &status) == 0 else { throw FileError.failed(.fileUnreadable, "read", file) }
            switch status.st_mode & S_IFMT {
            case S_IFDIR: add("folder \(label)", "")
            case S_IFLNK: add("link \(label)", try FileManager.default.destinationOfSymbolicLink(atPath: file))
            default:
                let mode = status.st_mode & 0o111 == 0 ? "" : "executable "
                add("file \(label)", "\(mode)\(try FileDigest.sha256(of: file))")
            }
        }
    }

    /// The paths below one, sorted; for a file only itself.
    private static func names(below path: String) throws -> [String] {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue else {
            return [""]
        }
        guard let names = FileManager.default.enumerator(atPath: path)?.compactMap({ $0 as? String }) else {
            throw FileError.failed(.fileUnreadable, "read", path)
        }
        return names.sorted()
    }

    /// The key.
    func digest() throws -> ImageDigest {
        // With lengths, so that no text can pass for two.
        let text = parts.map { "\($0.label.utf8.count) \($0.label) \($0.text.utf8.count) \($0.text)\n" }.joined()
        return try FileDigest.sha256(Data(text.utf8))
    }

    /// What differs from another step's, for people: the labels of up to three parts.
    func changes(from other: KeyMaterial) -> String {
        let (old, new) = (Set(other.parts), Set(parts))
        var labels: [String] = []
        for part in parts + other.parts where old.contains(part) != new.contains(part) {
            if !labels.contains(part.label) { labels.append(part.label) }
        }
        let more = labels.count > 3 ? " and \(labels.count - 3) more" : ""
        return labels.prefix(3).joined(separator: ", ") + more
    }
}
