import KilnDocuments
import KilnModel

/// A command line of kiln's, as a lesson shows it and as a trainee can paste it into a shell.
public struct LessonCommand: Sendable, Hashable {
    /// The line as it is written.
    public let line: String
    /// Its words after `kiln`; `${folder}` stands for the folder in which the trainee works.
    public let words: [String]
    /// The exit status that it ends with; nothing where any will do.
    public let exit: Int32?
    /// Where it stands in its file.
    public let position: Position

    /// The words with the folder put in.
    public func words(in folder: String) -> [String] {
        words.map { $0.replacing(Lesson.folderMark, with: folder) }
    }

    /// The line as it can be pasted.
    public func line(in folder: String) -> String { line.replacing(Lesson.folderMark, with: folder) }
}

extension LessonCommand {
    /// Why a line is no such command.
    struct Refusal: Error {
        let message: String
    }

    /// The words of a line: separated by blanks, with quotes of either kind; what more a shell would do is refused.
    ///
    /// - Throws: `Refusal`.
    static func words(of line: String) throws(Refusal) -> [String] {
        var words: [String] = []
        var word: String?
        var quote: Character?
        // The mark means the same to a shell only in so far as it is put in before.
        let marked = line.replacing(Lesson.folderMark, with: String(mark))
        for character in marked {
            switch (character, quote) {
            case (mark, _): word = (word ?? "") + Lesson.folderMark
            case (let end, let open?) where end == open: quote = nil
            case ("$", "\""), ("`", "\""), ("\\", "\""):
                throw Refusal(message: "expected no '\(character)' in double quotes; use single ones")
            case (_, _?): word = (word ?? "") + String(character)
            case ("'", nil), ("\"", nil):
                quote = character
                word = word ?? ""
            case (" ", nil):
                if let whole = word { words.append(whole) }
                word = nil
            case (let other, nil) where special.contains(other):
                throw Refusal(message: "expected words and quotes, found '\(other)': no shell reads it; quote it")
            default: word = (word ?? "") + String(character)
            }
        }
        guard quote == nil else { throw Refusal(message: "a quote is not closed") }
        return words + [word].compactMap(\.self)
    }

    // What YAML never holds, so that nobody can have written it.
    private static let mark: Character = "\u{0}"
    private static let special = Set("|&;<>()$`\\*?[]#~!{}\n\t")
}

extension Value {
    /// A command of kiln's: a line, or a map with the line and how it ends.
    func lessonCommand() -> LessonCommand? {
        guard case .map = node.content else { return lessonCommand(exit: 0) }
        guard let fields = Fields<LessonCommandFields>(self, "a map with 'command'") else { return nil }
        if let exit = fields[.exit], exit.isAnyStatus { return fields[.command]?.lessonCommand(exit: nil) }
        let status = fields[.exit].map { $0.whole(in: 0...255) } ?? 0
        guard let status else { return nil }
        return fields[.command]?.lessonCommand(exit: Int32(status))
    }

    private var isAnyStatus: Bool {
        guard case .scalar(let scalar) = node.content else { return false }
        return scalar.text == LessonCommandFields.anyStatus
    }

    /// A line that is a command of kiln's.
    func lessonCommand(exit: Int32?) -> LessonCommand? {
        let expected = "a command such as 'kiln replace LAB/web --image tiny:2'"
        guard let line = text(expected) else { return nil }
        do {
            let words = try LessonCommand.words(of: line)
            guard words.first == "kiln", words.count > 1 else {
                mismatch(expected)
                return nil
            }
            if words[1] == "learn" {
                problem("expected a command that does something to the lab, found one on lessons")
                return nil
            }
            return LessonCommand(line: line, words: Array(words.dropFirst()), exit: exit, position: node.position)
        } catch {
            problem(error.message)
            return nil
        }
    }
}

/// The fields of a command that ends otherwise than with 0.
enum LessonCommandFields: String, FileField {
    case command, exit

    static let required: [LessonCommandFields] = [.command]
    /// For what the trainee may have done already.
    static let anyStatus = "any"

    var schema: JSONValue {
        switch self {
        case .command: LessonSchema.command("The command: words and quotes, without anything else of a shell.")
        case .exit:
            Schema.either(
                [
                    Schema.whole(0...255, "The status."),
                    ["const": .string(LessonCommandFields.anyStatus), "description": "Whatever it is."],
                ],
                "The exit status that it has to end with; 0 without it. 'any' is for what the trainee may have done already."
            )
        }
    }
}
