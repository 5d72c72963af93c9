import Foundation
import KilnDocuments
import KilnModel
import KilnScenarios

/// The scenarios that a command line means.
struct ScenarioChoice {
    /// In the order of the command line; those of a folder by name, those of a matrix in its order.
    let scenarios: [Scenario]

    /// Reads all files before anything runs, so that what is wrong with any of them is told at once.
    ///
    /// - Throws: `KilnError` or `InvalidFile` with all problems.
    init(_ texts: [String], tags: Set<String>, isLocked: Bool, _ session: Session) throws {
        var found: [Scenario] = []
        var problems: [Problem] = []
        for text in texts {
            let path = try RunVerb.path(of: text, session)
            let isFolder = ScenarioChoice.isFolder(path)
            for file in isFolder ? try ScenarioChoice.files(in: path) : [path] {
                do {
                    // A folder may hold labs, too, which are nothing to run.
                    if isFolder, try ScenarioFile.isLab(at: file) { continue }
                    let read = try ScenarioFile.scenarios(at: file, images: KnownImages.manifest)
                    session.say(warnings: read.first?.warnings ?? [])
                    found += isLocked ? try ScenarioChoice.locked(read, file) : read
                } catch let error as InvalidFile { problems += error.problems }
            }
        }
        guard problems.isEmpty else { throw InvalidFile(problems: problems) }
        scenarios = found.filter { tags.isEmpty || !tags.isDisjoint(with: $0.tags.map(\.text)) }
        guard !scenarios.isEmpty else {
            throw KilnError(
                .runNothing,
                tags.isEmpty
                    ? "nothing to run was found" : "no scenario has the tag \(tags.sorted().joined(separator: " or "))",
                hint: "name a file, a folder with scenarios, or one that 'kiln scenario list' shows",
                exit: .usage
            )
        }
    }

    private static func locked(_ scenarios: [Scenario], _ file: String) throws -> [Scenario] {
        let images = scenarios.reduce(into: Set<ImageReference>()) { $0.formUnion($1.movableImages) }
        let lock = try LabLock.read(beside: file, naming: images)
        return try scenarios.map { try $0.pinned(by: lock) }
    }

    private static func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
    }

    private static func files(in folder: String) throws -> [String] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
                .filter { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") }.map { "\(folder)/\($0)" }
        } catch {
            throw KilnError(
                .searchUnreadable,
                "the folder \(Name.quoted(folder)) can't be read",
                hint: "see that it is yours to read",
                cause: "\(error)",
                exit: .usage
            )
        }
    }
}
