import Foundation
import KilnDocuments
import KilnModel

extension Recipe {
    /// The name of a recipe's file.
    public static let fileName = "image.yaml"

    /// Finds the folder of a recipe by its name; nothing where there is none.
    public typealias Finder = @Sendable (Name) -> String?

    /// Reads the recipe at `path`: its folder, or its file.
    ///
    /// - Parameter parents: where parents' recipes are that don't lie beside it, as a bake would find them.
    /// - Throws: `InvalidFile` with everything that is wrong, including that the file can't be read or that what it names is
    ///   not there.
    public init(at path: String, parents: @escaping Finder = { _ in nil }) throws(InvalidFile) {
        let file = Recipe.isFolder(path) ? "\(path)/\(Recipe.fileName)" : path
        let problems = ProblemList(file: file)
        let decoder = RecipeDecoder(
            folder: URL(fileURLWithPath: file).standardizedFileURL.deletingLastPathComponent().path,
            parents: parents
        )
        let recipe = TextFile.read(file, problems)
            .flatMap { YAMLDocument.root(of: $0, problems) }
            .flatMap { decoder.decode(Value(node: $0, path: "", problems: problems)) }
        guard let recipe, problems.isEmpty else {
            throw InvalidFile(problems: problems.sorted, code: .recipeInvalid)
        }
        self = recipe
    }

    /// Reads the recipe in `folder`.
    ///
    /// - Parameter parents: where parents' recipes are that don't lie beside it.
    /// - Throws: `KilnError` with code `recipe.missing`; `InvalidFile` with everything that is wrong.
    public init(folder: String, parents: @escaping Finder = { _ in nil }) throws {
        let file = "\(folder)/\(Recipe.fileName)"
        guard FileManager.default.fileExists(atPath: file) else {
            throw KilnError(
                .recipeMissing,
                "there is no recipe at \(file)",
                hint: "name a folder that holds \(Recipe.fileName)",
                exit: .invalidFile
            )
        }
        try self.init(at: file, parents: parents)
    }

    /// The recipes in the folders of `folder`, by name.
    ///
    /// Folders without `image.yaml` are none.
    ///
    /// - Throws: what ``init(folder:)`` throws for the first that is invalid.
    public static func all(in folder: String) throws -> [Recipe] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return try names.sorted()
            .map { "\(folder)/\($0)" }
            .filter { FileManager.default.fileExists(atPath: "\($0)/\(fileName)") }
            .map { try Recipe(folder: $0) }
    }

    /// Whether there is a folder at `path`, or where a link there leads.
    static func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
    }
}
