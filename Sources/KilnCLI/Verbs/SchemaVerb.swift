import ArgumentParser
import KilnBakery
import KilnModel
import KilnScenarios

/// `kiln schema`: the JSON Schema of the files that users write.
struct SchemaVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "schema",
        abstract: "Print the JSON Schema of lab and scenario files, of recipes, or of lessons, for editors.",
        discussion: "It is JSON, whatever --format says."
    )

    @Argument(help: "Of which files: lab, which scenarios have too, recipe or lesson.")
    var files = Files.lab

    @OptionGroup var global: GlobalOptions

    /// Which files a schema is for.
    enum Files: String, CaseIterable, ExpressibleByArgument {
        case lab, recipe, lesson

        var schema: JSONValue {
            switch self {
            case .lab: ScenarioSchema.document
            case .recipe: RecipeSchema.document
            case .lesson: LessonSchema.document
            }
        }
    }

    func execute(_ session: Session) async throws -> Int32 {
        session.output.text(try Renderer.json(files.schema))
        return 0
    }
}
