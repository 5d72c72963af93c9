import ArgumentParser
import KilnDocuments
import KilnScenarios

/// `kiln scenario`: verbs on scenario files.
struct ScenarioVerbs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scenario",
        abstract: "Check scenario files.",
        subcommands: [ScenarioLintVerb.self]
    )
}

/// `kiln scenario lint`: everything that is wrong with lab and scenario files.
struct ScenarioLintVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "lint",
        abstract: "Check lab and scenario files; prints every problem with its line."
    )

    @Argument(help: "The files.", completion: .file(extensions: ["yaml", "yml"]))
    var files: [String]

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let result = LintResult(files) { path throws(InvalidFile) in try ScenarioFile.lab(at: path).warnings }
        try session.show(result)
        return result.status
    }
}
