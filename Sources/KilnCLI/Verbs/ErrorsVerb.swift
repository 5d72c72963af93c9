import ArgumentParser
import KilnModel

/// `kiln help errors`: the index of error codes.
struct ErrorsVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "errors",
        abstract: "List the codes of errors: what they mean, and the exit codes of commands that end with them."
    )

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        try session.show(ErrorIndex())
        return 0
    }

    /// The arguments, where `help errors` is a question for the list itself and not for the options of listing it.
    static func asked(_ arguments: [String]) -> [String] {
        arguments.starts(with: ["help", "errors"]) ? Array(arguments.dropFirst()) : arguments
    }
}

/// Every code with its meaning.
struct ErrorIndex: Renderable {
    struct Payload: Encodable {
        struct Entry: Encodable {
            let code: ErrorCode
            let exits: [Int32]
            let meaning: String
        }
        let errors: [Entry]
    }

    var payload: Payload {
        Payload(
            errors: ErrorCode.index.map {
                Payload.Entry(code: $0, exits: $0.exits.map(\.rawValue), meaning: $0.meaning)
            }
        )
    }

    var human: HumanView {
        let rows = ErrorCode.index.map { code in
            [code.rawValue, code.exits.map { String($0.rawValue) }.joined(separator: ","), code.meaning]
        }
        return .table(TextTable(header: ["code", "exit", "meaning"], rows: rows), empty: "there are no codes")
    }
}
