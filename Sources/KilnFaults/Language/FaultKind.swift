import KilnDocuments
import KilnModel

/// One kind of fault: how it is written in files, and what it becomes.
package struct FaultKind: Sendable {
    /// What it is called in files.
    package let word: String
    /// Whether it strikes a step that makes a generation of its server, and nothing else.
    package var isOfReplacement = false
    /// What it does, in a sentence.
    package let about: String
    /// How its value is written, as JSON Schema with the sentence.
    package let fields: @Sendable (_ about: String) -> JSONValue
    /// Reads the value; nothing where it could not be read, which is reported then.
    package let decode: @Sendable (Value, FaultReader) -> (any FaultAction)?

    /// The kind that a file calls so.
    package static func named(_ word: String) -> FaultKind? { all.first { $0.word == word } }
}
