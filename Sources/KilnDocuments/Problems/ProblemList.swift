/// Collects what is wrong with one file, so that everything is reported at once.
package final class ProblemList {
    package let file: String
    private var own: [Problem] = []
    private var ownWarnings: [Problem] = []
    // A file of a mebibyte may have a hundred thousand of either.
    private var knownProblems: Set<Problem> = []
    private var knownWarnings: Set<Problem> = []
    /// What is wrong with files that this one names.
    private var included: [ProblemList] = []

    package init(file: String) { self.file = file }

    package func add(_ position: Position, _ path: String, _ message: String) {
        let problem = Problem(file: file, position: position, path: path, message: message)
        if knownProblems.insert(problem).inserted { own.append(problem) }
    }

    package func warn(_ position: Position, _ path: String, _ message: String) {
        let warning = Problem(file: file, position: position, path: path, message: message)
        if knownWarnings.insert(warning).inserted { ownWarnings.append(warning) }
    }

    /// Takes over what is, or will be found to be, wrong with a file that this one names.
    package func include(_ other: ProblemList) { included.append(other) }

    /// What is wrong.
    package var problems: [Problem] { own + included.flatMap(\.problems) }

    /// What may be wrong; no reason to refuse the file.
    package var warnings: [Problem] { ownWarnings + included.flatMap(\.warnings) }

    /// What is wrong, in the order of the file; problems of files that it names come last.
    package var sorted: [Problem] { own.sorted { $0.position < $1.position } + included.flatMap(\.sorted) }

    package var isEmpty: Bool { own.isEmpty && included.allSatisfy(\.isEmpty) }
}
