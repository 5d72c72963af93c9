/// Collects what is wrong with one file, so that everything is reported at once.
final class ProblemList {
    let file: String
    private var own: [Problem] = []
    private var ownWarnings: [Problem] = []
    /// What is wrong with files that this one names.
    private var included: [ProblemList] = []

    init(file: String) { self.file = file }

    func add(_ position: Position, _ path: String, _ message: String) {
        let problem = Problem(file: file, position: position, path: path, message: message)
        if !own.contains(problem) { own.append(problem) }
    }

    func warn(_ position: Position, _ path: String, _ message: String) {
        let warning = Problem(file: file, position: position, path: path, message: message)
        if !ownWarnings.contains(warning) { ownWarnings.append(warning) }
    }

    /// Takes over what is, or will be found to be, wrong with a file that this one names.
    func include(_ other: ProblemList) { included.append(other) }

    /// What is wrong.
    var problems: [Problem] { own + included.flatMap(\.problems) }

    /// What may be wrong; no reason to refuse the file.
    var warnings: [Problem] { ownWarnings + included.flatMap(\.warnings) }

    /// What is wrong, in the order of the file; problems of files that it names come last.
    var sorted: [Problem] { own.sorted { $0.position < $1.position } + included.flatMap(\.sorted) }

    var isEmpty: Bool { own.isEmpty && included.allSatisfy(\.isEmpty) }
}
