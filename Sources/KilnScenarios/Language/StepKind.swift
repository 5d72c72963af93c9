import KilnDocuments
import KilnModel

/// One kind of step: how it is written in files, and what it becomes.
///
/// The kinds are values: reading, the schema for editors and the documents are all made from ``all``.
struct StepKind: Sendable {
    /// What it is called in files.
    let word: String
    /// What it was called before; files may still say that.
    var formerly: String?
    /// Whether the bare word is a step, too.
    var isBare = false
    /// Whether it makes generations, so that something can happen at a moment of their steps.
    var hasMoments = false
    /// Whether a kiln of its own can do it, which may be killed.
    var isKillable = false
    /// What can be saved of it: the names of texts that it finds out.
    var outputs: [String] = []
    /// What it does, in a sentence.
    let about: String
    /// How its value is written, as JSON Schema with the sentence.
    let fields: @Sendable (_ about: String) -> JSONValue
    /// Reads the value; nothing where it could not be read, which is reported then.
    let decode: @Sendable (Value, StepReader) -> (any StepAction)?

    /// Every word, also the former ones.
    var words: [String] { [word] + (formerly.map { [$0] } ?? []) }

    /// The kind that a file calls so.
    static func named(_ word: String) -> StepKind? { all.first { $0.words.contains(word) } }
}
