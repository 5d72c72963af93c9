import KilnDocuments
import KilnModel

/// What is wrong with files.
struct LintResult: Renderable {
    let count: Int
    let problems: [Problem]
    /// What may be wrong, which fails nothing.
    let warnings: [Problem]
    /// What was not looked at.
    var notes: [String] = []

    /// Reads every file; `read` answers with its warnings.
    init(_ files: [String], _ read: (String) async throws(InvalidFile) -> [Problem]) async {
        var problems: [Problem] = []
        var warnings: [Problem] = []
        for path in files {
            do throws(InvalidFile) {
                warnings += try await read(path)
            } catch {
                problems += error.problems
            }
        }
        count = files.count
        self.problems = problems
        self.warnings = warnings
    }

    /// What the process ends with.
    var status: Int32 { problems.isEmpty ? 0 : KilnModel.ExitCode.invalidFile.rawValue }

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
        let notes: [String]
    }

    var payload: Payload {
        Payload(
            problems: problems.map(Payload.Item.init),
            warnings: warnings.map(Payload.Item.init),
            notes: notes
        )
    }

    var human: HumanView {
        let lines =
            problems.map(\.description) + warnings.map { "warning: \($0.description)" } + notes.map { "note: \($0)" }
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
