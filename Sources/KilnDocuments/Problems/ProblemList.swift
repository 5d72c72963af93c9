/// Collects what is wrong with one file, so that everything is reported at once.
package final class ProblemList {
    package let file: String
    package private(set) var problems: [Problem] = []
    /// What may be wrong; no reason to refuse the file.
    package private(set) var warnings: [Problem] = []
    // A file of a mebibyte may have a hundred thousand of either.
    private var knownProblems: Set<Problem> = []
    private var knownWarnings: Set<Problem> = []

    package init(file: String) { self.file = file }

    package func add(_ position: Position, _ path: String, _ message: String) {
        let problem = Problem(file: file, position: position, path: path, message: message)
        if knownProblems.insert(problem).inserted { problems.append(problem) }
    }

    package func warn(_ position: Position, _ path: String, _ message: String) {
        let warning = Problem(file: file, position: position, path: path, message: message)
        if knownWarnings.insert(warning).inserted { warnings.append(warning) }
    }

    /// Takes over what is wrong with a file that this one names.
    package func include(_ other: ProblemList) {
        problems += other.sorted
        warnings += other.warnings
    }

    /// What is wrong, in the order of the file; problems of files that it names come last.
    package var sorted: [Problem] {
        let own = problems.filter { $0.file == file }
        return own.sorted { $0.position < $1.position } + problems.filter { $0.file != file }
    }

    package var isEmpty: Bool { problems.isEmpty }
}
