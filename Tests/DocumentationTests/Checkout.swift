import Foundation

/// The files of the project.
enum Checkout {
    static let top = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static func text(_ path: String) throws -> String {
        try String(contentsOf: top.appending(path: path), encoding: .utf8)
    }

    /// The paths of all documents in Markdown.
    static func documents() throws -> [String] {
        let folders = try FileManager.default.contentsOfDirectory(atPath: top.path)
        return folders.filter { $0 != ".build" && $0 != ".git" }.flatMap { name -> [String] in
            if name.hasSuffix(".md") { return [name] }
            let below = FileManager.default.enumerator(atPath: top.appending(path: name).path)
            return (below?.compactMap { $0 as? String } ?? []).filter { $0.hasSuffix(".md") }.map { "\(name)/\($0)" }
        }
    }
}
