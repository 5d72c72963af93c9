import Foundation
import Glibc
import KilnModel
import KilnScenarios

/// Where recipes, scenarios and lessons are found by name: the first folder that holds one counts.
///
/// 1. the folder that the command names
/// 2. `Images`, `Scenarios` or `Scenarios/lessons` in the current directory; for root only where nobody else can write to it
/// 3. `kiln/images`, `kiln/scenarios` or `kiln/scenarios/lessons` in the user's data: `XDG_DATA_HOME`, else `~/.local/share`
/// 4. the same in what is installed: beside the program (`PREFIX/share`), else `/usr/local/share` and `/usr/share`
///
/// https://specifications.freedesktop.org/basedir-spec/latest/
struct SearchPath: Sendable {
    /// What is found.
    enum Kind: Sendable {
        case recipes, scenarios, lessons
    }

    /// What the folders depend on.
    struct Surroundings: Sendable {
        var environment = ProcessInfo.processInfo.environment
        var executable = Workspace.executable
        /// Where `Images` and `Scenarios` lie; nothing for the current directory, in which paths stay short.
        var directory: String?
        /// Who may write to the folders of the current directory; nothing where that does not matter, as for a plain user.
        var trust = FolderTrust.ofProcess
    }

    let kind: Kind
    /// The folders, whether they are there or not.
    let folders: [String]
    /// The one of them that lies in the current directory.
    private let local: String?
    private let trust: FolderTrust?

    /// Why the folder in the current directory does not count, where it is there.
    var leftOut: String? {
        guard let local, FileManager.default.fileExists(atPath: local) else { return nil }
        return trust?.objection(to: local).map { "\(local) does not count: \($0)" }
    }

    /// The path for a command, of which `folder` was named.
    init(_ kind: Kind, folder: String? = nil, _ surroundings: Surroundings = Surroundings()) {
        self.kind = kind
        let local = (surroundings.directory.map { $0 + "/" } ?? "") + kind.local
        self.local = local
        trust = surroundings.trust
        let own = SearchPath.userData(surroundings.environment)
        folders =
            [folder, local, own.map { kind.folder(in: $0) }].compactMap(\.self)
            + SearchPath.installed(kind, surroundings).folders
    }

    private init(_ kind: Kind, folders: [String]) {
        self.kind = kind
        self.folders = folders
        local = nil
        trust = nil
    }

    /// What is installed only, wherever the user stands.
    static func installed(_ kind: Kind, _ surroundings: Surroundings = Surroundings()) -> SearchPath {
        let program = URL(fileURLWithPath: surroundings.executable).deletingLastPathComponent()
        let prefix = program.lastPathComponent == "bin" ? program.deletingLastPathComponent().path : nil
        let shares = [prefix.map { ($0 == "/" ? "" : $0) + "/share" }, "/usr/local/share", "/usr/share"]
        var folders: [String] = []
        for folder in shares.compactMap(\.self).map(kind.folder) where !folders.contains(folder) {
            folders.append(folder)
        }
        return SearchPath(kind, folders: folders)
    }

    private static func userData(_ environment: [String: String]) -> String? {
        // The specification says to ignore relative paths.
        if let data = environment["XDG_DATA_HOME"], data.hasPrefix("/") { return data }
        return environment["HOME"].flatMap { $0.hasPrefix("/") ? $0 + "/.local/share" : nil }
    }
}

extension SearchPath {
    /// The file or folder of that name.
    ///
    /// - Throws: `KilnError` with code `search.not-found`, or `search.unreadable` where a folder on the way can't be read:
    ///   what it may hold is not passed over.
    func find(_ name: Name) throws -> String {
        let (path, leftOut) = try search(name)
        guard let path else { throw notFound(name, leftOut) }
        return path
    }

    /// The same, or nothing where there is none.
    func folder(of name: Name) -> String? { names.contains(name) ? try? find(name) : nil }

    /// The same, saying on standard error which one it is, and what was left out.
    func find(_ name: Name, _ session: Session) throws -> String {
        let (path, leftOut) = try search(name)
        guard let path else { throw notFound(name, leftOut) }
        if let leftOut { session.say(leftOut) }
        session.say("\(kind.noun) \(name): \(path)")
        return path
    }

    // What is only there by name is looked at closer: the folder may be anybody's, of anything.
    private func search(_ name: Name) throws -> (path: String?, leftOut: String?) {
        var objection: String?
        for folder in folders {
            let path = folder + "/" + kind.entry(name)
            var status = stat()
            guard stat(path, &status) == 0 else {
                guard errno == ENOENT || errno == ENOTDIR else { throw unreadable(folder, errno) }
                continue
            }
            if folder == local { objection = leftOut }
            if folder != local || objection == nil { return (path, objection) }
        }
        return (nil, objection)
    }

    /// The names that can be found, sorted; folders that can't be read have none.
    var names: [Name] {
        let found = folders.flatMap { folder in
            ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).compactMap {
                kind.name(of: $0, in: folder)
            }
        }
        return Set(found).sorted()
    }

    private func unreadable(_ folder: String, _ code: Int32) -> KilnError {
        KilnError(
            .searchUnreadable,
            "\(folder) can't be searched: \(String(cString: strerror(code)))",
            hint: "let this user read it (chmod a+rX), or name the \(kind.noun) by its path",
            exit: .usage
        )
    }

    private func notFound(_ name: Name, _ leftOut: String?) -> KilnError {
        let known = names
        let suggestion = Suggestion.text(for: name.text, among: known.map(\.text))
        return KilnError(
            .searchNotFound,
            "there is no \(kind.noun) '\(name)'\(suggestion) in \(folders.joined(separator: ", "))",
            hint: leftOut
                ?? (known.isEmpty
                    ? "name one by its path" : "there are: \(known.map(\.text).joined(separator: ", "))"),
            exit: .usage
        )
    }
}

extension SearchPath.Kind {
    var noun: String {
        switch self {
        case .recipes: "recipe"
        case .scenarios: "scenario"
        case .lessons: "lesson"
        }
    }

    /// The folder in the current directory.
    var local: String {
        switch self {
        case .recipes: "Images"
        case .scenarios: "Scenarios"
        case .lessons: "Scenarios/lessons"
        }
    }

    func folder(in share: String) -> String {
        switch self {
        case .recipes: share + "/kiln/images"
        case .scenarios: share + "/kiln/scenarios"
        case .lessons: share + "/kiln/scenarios/lessons"
        }
    }

    func entry(_ name: Name) -> String { self == .scenarios ? name.text + ".yaml" : name.text }

    /// The name of an entry of a folder; nothing where it is something else.
    func name(of entry: String, in folder: String) -> Name? {
        switch self {
        case .recipes:
            FileManager.default.fileExists(atPath: "\(folder)/\(entry)/image.yaml") ? try? Name(entry) : nil
        case .lessons:
            FileManager.default.fileExists(atPath: "\(folder)/\(entry)/\(LessonFile.name)") ? try? Name(entry) : nil
        case .scenarios:
            entry.hasSuffix(".yaml") ? try? Name(String(entry.dropLast(".yaml".count))) : nil
        }
    }
}
