/// What a text has to be or to contain, as goss writes it: `text`, or `/regular expression/`, which is looked for line by line.
///
/// A `!` in front of either says what must not be. A backslash in front, or after the `!`, takes the rest as it is.
public struct TextPattern: Sendable, Hashable, CustomStringConvertible {
    private enum Subject: Sendable, Hashable {
        case text(String)
        case expression(LineExpression)
    }

    /// A text that is no pattern.
    public struct Mistake: Error, Sendable, Hashable {
        /// What is wrong with it, in a few words.
        public let message: String
    }

    /// The pattern as it is written.
    public let written: String
    private let isNegated: Bool
    private let subject: Subject

    /// Reads the written form.
    ///
    /// - Throws: ``Mistake`` where it is empty, or its regular expression is none.
    public init(_ written: String) throws(Mistake) {
        let isNegated = written.hasPrefix("!")
        let text = isNegated ? written.dropFirst() : written[...]
        self.written = written
        self.isNegated = isNegated
        guard !text.isEmpty else { throw Mistake(message: "an empty text") }
        if text.hasPrefix("\\") {
            subject = .text(String(text.dropFirst()))
        } else if text.hasPrefix("/"), text.hasSuffix("/"), text.count > 2 {
            do throws(LineExpression.Mistake) {
                subject = .expression(try LineExpression(String(text.dropFirst().dropLast())))
            } catch {
                throw Mistake(message: error.message)
            }
        } else {
            subject = .text(String(text))
        }
    }

    /// Whether a longer text, such as a file, has what it says: the text somewhere, the expression in one of its lines.
    public func isMet(by text: String) -> Bool {
        let isFound: Bool =
            switch subject {
            case .text(let part): text.utf8.firstRange(of: Array(part.utf8)) != nil
            case .expression(let expression):
                text.split(separator: "\n", omittingEmptySubsequences: false).contains(where: expression.isFound)
            }
        return isFound != isNegated
    }

    /// Whether one of some values, such as the names of one thing, is what it says: the text itself, the expression in it.
    public func isMet(byOneOf values: [String]) -> Bool {
        let isFound = values.contains { value in
            switch subject {
            case .text(let text): value == text
            case .expression(let expression): expression.isFound(in: value)
            }
        }
        return isFound != isNegated
    }

    /// The pattern as it is written.
    public var description: String { written }
}

extension TextPattern: Codable {
    /// Decodes the written form.
    public init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        do throws(Mistake) {
            try self.init(try Self.text(in: value))
        } catch {
            throw DecodingError.dataCorruptedError(in: value, debugDescription: "no pattern: \(error.message)")
        }
    }

    private static func text(in value: any SingleValueDecodingContainer) throws(Mistake) -> String {
        guard let text = try? value.decode(String.self) else { throw Mistake(message: "no text") }
        return text
    }

    /// Encodes the written form.
    public func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        try value.encode(written)
    }
}
