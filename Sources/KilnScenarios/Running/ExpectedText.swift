import KilnDocuments
import KilnModel

/// A text that something has to be, or must not be; saved values may stand in it.
struct ExpectedText: Sendable, Hashable {
    let text: SavedText
    let isNegated: Bool

    /// What is wrong with a value; nothing where it is as expected.
    func unmet(_ subject: String, by found: String, _ context: RunContext) async -> String? {
        let text = text.resolved(await context.known)
        guard (found == text) == isNegated else { return nil }
        return "\(subject) \(isNegated ? "other than " : "")\(Name.quoted(text)) expected, \(Name.quoted(found)) found"
    }
}

extension ExpectedText {
    /// Reads a text, or a map with the text that it must not be.
    ///
    /// - Parameter form: what a text without saved values has to look like.
    init?(_ value: Value, _ reader: StepReader, _ form: TextForm? = nil) {
        func text(_ value: Value) -> SavedText? {
            guard let text = reader.written(value) else { return nil }
            guard let form, text.names.isEmpty, !form.accepts(text.text) else { return text }
            value.mismatch("\(form.expected), or what an earlier step saved")
            return nil
        }
        guard case .map = value.node.content else {
            guard let text = text(value) else { return nil }
            self.init(text: text, isNegated: false)
            return
        }
        guard let fields = Fields<ExpectedTextFields>(value, "a text, or a map with 'not'"),
            let text = fields[.not].flatMap(text)
        else { return nil }
        self.init(text: text, isNegated: true)
    }

    static func schema(_ about: String) -> JSONValue {
        Schema.either(
            [Schema.text("What it has to be."), Schema.object(ExpectedTextFields.self, "What it must not be.")],
            about
        )
    }
}

/// The fields of a text that something must not be.
enum ExpectedTextFields: String, FileField {
    case not

    static let required: [ExpectedTextFields] = [.not]

    var schema: JSONValue { Schema.text("What it must not be.") }
}
