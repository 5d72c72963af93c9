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
        let result = await LintResult(files: files)
        try session.show(result)
        return result.problems.isEmpty ? 0 : KilnModel.ExitCode.invalidFile.rawValue
    }
}

/// What is wrong with files.
struct LintResult: Renderable {
    let count: Int
    let problems: [Problem]
    /// What may be wrong, which fails nothing.
    let warnings: [Problem]

    /// Reads every file.
    init(files: [String], cloudInit: CloudInitSchema = CloudInitSchema()) async {
        var problems: [Problem] = []
        var warnings: [Problem] = []
        for path in files {
            do throws(InvalidFile) {
                let file = try ScenarioFile.lab(at: path, images: KnownImages.manifest)
                warnings += file.warnings
                warnings += await cloudInit.warnings(on: file.lab, at: path)
            } catch {
                problems += error.problems
            }
        }
        count = files.count
        self.problems = problems
        self.warnings = warnings
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
        let warnings: [Item]
    }

    var payload: Payload {
        Payload(problems: problems.map(Payload.Item.init), warnings: warnings.map(Payload.Item.init))
    }

    var human: HumanView {
        let lines = problems.map(\.description) + warnings.map { "warning: \($0.description)" }
        let verdict = problems.isEmpty ? ["\(count) file\(count == 1 ? "" : "s") without problems"] : []
        return .lines((lines + verdict).map(ConsoleText.singleLine))
    }
}

extension LintResult.Payload.Item {
    fileprivate init(_ problem: Problem) {
        self.init(
            file: problem.file,
            line: problem.position.line,
            column: problem.position.column,
            path: problem.path,
            message: problem.message
        )
    }
}
