import ArgumentParser
import KilnModel
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
        let result = LintResult(files: files)
        try session.show(result)
        return result.problems.isEmpty ? 0 : KilnModel.ExitCode.invalidFile.rawValue
    }
}

/// What is wrong with files.
struct LintResult: Renderable {
    let count: Int
    let problems: [Problem]

    /// Reads every file.
    init(files: [String]) {
        count = files.count
        problems = files.flatMap { path -> [Problem] in
            do throws(InvalidFile) {
                _ = try ScenarioFile.lab(at: path)
                return []
            } catch {
                return error.problems
            }
        }
    }

    struct Payload: Encodable {
        struct Item: Encodable {
            let file: String
            let line: Int
            let column: Int
            let path: String
            let message: String
        }

        let problems: [Item]
    }

    var payload: Payload {
        Payload(
            problems: problems.map {
                Payload.Item(
                    file: $0.file,
                    line: $0.position.line,
                    column: $0.position.column,
                    path: $0.path,
                    message: $0.message
                )
            }
        )
    }

    var human: HumanView {
        if problems.isEmpty { return .lines(["\(count) file\(count == 1 ? "" : "s") without problems"]) }
        return .lines(problems.map { ConsoleText.singleLine($0.description) })
    }
}
