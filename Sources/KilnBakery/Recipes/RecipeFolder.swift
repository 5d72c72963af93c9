import Foundation
import KilnDocuments
import KilnModel

/// The folder of a recipe, out of which nothing that the recipe names may lead.
struct RecipeFolder: Sendable, Hashable {
    /// An absolute path.
    let path: String

    /// The folder above, which holds what recipes share.
    var shared: String { URL(fileURLWithPath: path).deletingLastPathComponent().path }

    /// A file or folder that the recipe names, relative to its folder; it has to be there.
    func entry(_ value: Value, _ kind: Kind) -> String? {
        guard let name = value.text(.relativePath) else { return nil }
        guard let found = RecipeFolder.kind(of: "\(path)/\(name)") else {
            value.problem("expected \(kind.noun) of the recipe's folder, which has no \(Name.quoted(name))")
            return nil
        }
        guard kind == .any || kind == found else {
            value.problem("expected \(kind.noun), found that \(Name.quoted(name)) is \(found.noun)")
            return nil
        }
        guard isInside(name) else {
            value.problem("\(Name.quoted(name)) leads out of the recipe's folder by a link")
            return nil
        }
        return name
    }

    /// The files and folders of a list, where there is one.
    func entries(_ value: Value?) -> [String] {
        value?.list(of: "files and folders", atLeast: 0)?.compactMap { entry($0, .any) } ?? []
    }

    /// A program of the folder, which may be executed.
    func program(_ value: Value) -> String? {
        guard let name = entry(value, .file) else { return nil }
        guard FileManager.default.isExecutableFile(atPath: "\(path)/\(name)") else {
            value.problem("\(Name.quoted(name)) may not be executed: 'chmod +x \(path)/\(name)'")
            return nil
        }
        return name
    }

    /// What a recipe may name.
    enum Kind {
        case file, folder, any

        var noun: String {
            switch self {
            case .file: "a file"
            case .folder: "a folder"
            case .any: "a file or folder"
            }
        }
    }

    private static func kind(of path: String) -> Kind? {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return nil }
        return isFolder.boolValue ? .folder : .file
    }

    private func isInside(_ name: String) -> Bool {
        func real(_ path: String) -> String? {
            guard let resolved = realpath(path, nil) else { return nil }
            defer { free(resolved) }
            return String(cString: resolved)
        }
        guard let root = real(path), let target = real("\(path)/\(name)") else { return false }
        return target == root || target.hasPrefix(root + "/")
    }
}

extension TextForm {
    /// A path below a folder, which can't climb out of it.
    static let relativePath = TextForm(
        "a path below the recipe's folder, without '..'",
        pattern: "^(?!-)(?!/)(?![\\s\\S]*(^|/)[.][.](/|$))[^\\u0000\\n]+$"
    ) { text in
        !text.isEmpty && !text.hasPrefix("/") && !text.hasPrefix("-") && !text.contains("\n") && !text.contains("\0")
            && !text.split(separator: "/").contains("..")
    }
}
