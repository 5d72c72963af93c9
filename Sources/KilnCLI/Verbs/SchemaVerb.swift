import ArgumentParser
import KilnModel
import KilnScenarios

/// `kiln schema`: the JSON Schema of lab and scenario files.
struct SchemaVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "schema",
        abstract: "Print the JSON Schema of lab and scenario files, for editors.",
        discussion: "It is JSON, whatever --format says."
    )

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        session.output.text(try Renderer.json(ScenarioSchema.document))
        return 0
    }
}
