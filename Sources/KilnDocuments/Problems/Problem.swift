import KilnModel

/// One thing that is wrong with a file.
public struct Problem: Sendable, Hashable, CustomStringConvertible {
    /// The file as the user named it.
    public let file: String
    /// Where in the file.
    public let position: Position
    /// The field, such as `lab.servers.web.image`; empty where the whole file is meant.
    public let path: String
    /// What was expected, and what was found.
    public let message: String

    /// A problem from its parts.
    public init(file: String, position: Position, path: String, message: String) {
        self.file = file
        self.position = position
        self.path = path
        self.message = message
    }

    /// `file:line:column: path: message`, as compilers write it.
    public var description: String {
        let place = "\(file):\(position.line):\(position.column): "
        return place + (path.isEmpty ? message : "\(path): \(message)")
    }
}

/// A file that can't be used, with all that is wrong with it.
public struct InvalidFile: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is wrong, in the order of the file; never empty.
    public let problems: [Problem]
    /// The code of the error.
    public let code: ErrorCode

    /// An invalid file by its problems.
    public init(problems: [Problem], code: ErrorCode = .fileInvalid) {
        self.problems = problems
        self.code = code
    }

    /// Every problem on a line of its own.
    public var description: String { problems.map(\.description).joined(separator: "\n") }

    /// The error as the command line shows it, exit 65.
    public var kilnError: KilnError {
        KilnError(
            code,
            description,
            hint: problems.count == 1 ? "correct what is named above" : "correct the \(problems.count) lines above",
            exit: .invalidFile
        )
    }
}
