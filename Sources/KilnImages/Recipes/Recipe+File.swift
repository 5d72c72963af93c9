import Foundation
import KilnModel
import Yams

extension Recipe {
    /// The name of a recipe's file.
    public static let fileName = "image.yaml"

    /// Reads the recipe in `folder`.
    ///
    /// - Throws: `KilnError` with code `recipe.missing`, or `recipe.invalid` naming every problem with file, line and
    ///   column.
    public init(folder: String) throws {
        let file = folder + "/" + Recipe.fileName
        guard let bytes = FileManager.default.contents(atPath: file), bytes.count <= 1 << 20 else {
            throw KilnError(
                .recipeMissing,
                "there is no recipe at \(file)",
                hint: "name a folder that holds \(Recipe.fileName)",
                exit: .invalidFile
            )
        }
        try self.init(text: String(decoding: bytes, as: UTF8.self), file: file, folder: folder)
    }

    /// Reads a recipe from its text; `file` is only named in problems.
    ///
    /// - Throws: `KilnError` with code `recipe.invalid`, one line of its message for each problem.
    public init(text: String, file: String, folder: String) throws {
        let problems: [RecipeProblem]
        do {
            guard let node = try Yams.compose(yaml: text) else {
                throw Recipe.invalid([RecipeProblem(file: file, line: 1, column: 1, message: "the file is empty")])
            }
            var reader = RecipeReader(file: file)
            let recipe = reader.recipe(node, folder: folder)
            if let recipe, reader.problems.isEmpty {
                self = recipe
                return
            }
            problems = reader.problems
        } catch let error as YamlError {
            throw Recipe.invalid([Recipe.problem(error, file: file)])
        }
        throw Recipe.invalid(problems)
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

    private static func invalid(_ problems: [RecipeProblem]) -> KilnError {
        KilnError(
            .recipeInvalid,
            problems.map(\.description).joined(separator: "\n"),
            hint: "compare with a recipe in Images/",
            exit: .invalidFile
        )
    }

    private static func problem(_ error: YamlError, file: String) -> RecipeProblem {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            RecipeProblem(file: file, line: mark.line, column: mark.column, message: "not YAML: \(problem)")
        default:
            RecipeProblem(file: file, line: 1, column: 1, message: "not YAML: \(error)")
        }
    }
}
