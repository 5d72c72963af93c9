import KilnDocuments
import KilnModel
import KilnScenarios

/// An error as the command line shows it.
struct ErrorReport: Sendable, Equatable, Encodable {
    /// What is wrong.
    let error: KilnError

    /// Translates any error that a verb throws.
    init(_ error: any Error) {
        self.error =
            switch error {
            case let error as KilnError: error
            case let error as InvalidFile: error.kilnError
            case is CancellationError:
                KilnError(
                    .interrupted,
                    "interrupted",
                    hint: "nothing is half done for good: the next changing command finishes or rolls back",
                    exit: .interrupted
                )
            default:
                KilnError(
                    .internalFault,
                    "an unforeseen error",
                    hint: "please report it with the command and this text",
                    cause: "\(error)",
                    exit: .internalError
                )
            }
    }

    /// The lines for people.
    func lines(_ style: Style) -> [String] {
        let message = ConsoleText.lines(error.message)
        var lines = [style.bad("error:") + " " + (message.first ?? "")] + message.dropFirst()
        lines += (error.cause.map(ConsoleText.lines) ?? []).enumerated().map { index, line in
            index == 0 ? style.faint("cause:") + " " + line : line
        }
        lines += (error.hint.map(ConsoleText.lines) ?? []).enumerated().map { index, line in
            index == 0 ? style.faint("next:") + " " + line : line
        }
        return lines
    }

    private enum OuterKeys: String, CodingKey { case error }
    private enum InnerKeys: String, CodingKey { case code, message, hint, cause }

    /// `{"error": {"code", "message", "hint", "cause"}}`; what is unknown is null.
    func encode(to encoder: any Encoder) throws {
        var outer = encoder.container(keyedBy: OuterKeys.self)
        var inner = outer.nestedContainer(keyedBy: InnerKeys.self, forKey: .error)
        try inner.encode(error.code, forKey: .code)
        try inner.encode(error.message, forKey: .message)
        try inner.encode(error.hint, forKey: .hint)
        try inner.encode(error.cause, forKey: .cause)
    }
}

extension ConsoleText {
    /// The lines of a text, each safe to print.
    static func lines(_ text: String) -> [String] {
        escaped(text.utf8).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }
}
