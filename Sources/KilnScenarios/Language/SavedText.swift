import KilnDocuments
import KilnModel

/// A text in which `${saved.NAME}` stands for what an earlier step saved, and `${external.NAME.FIELD}` for what is known of an
/// external service.
struct SavedText: Sendable, Hashable {
    /// The text as it is written.
    let text: String
    /// The names in it.
    let names: Set<Name>

    /// A text that means itself.
    init(plain text: String) {
        self.text = text
        names = []
    }

    /// A text with the names that stand in it; nothing where something stands there that is no name.
    init?(_ text: String) {
        self.text = text
        let found = SavedText.references(in: text)
        names = Set(found.compactMap { try? Name(String($0)) })
        guard found.allSatisfy({ Name.accepts(String($0)) }) else { return nil }
    }

    /// Whether something of external services may stand in it.
    var namesExternals: Bool { text.contains("${external.") }

    /// The text with what is known; what nothing is known for stays as it is.
    func resolved(_ known: KnownTexts) -> String {
        if names.isEmpty, !namesExternals { return text }
        // In one pass, so that what was saved is never read for names itself.
        return text.replacing(SavedText.anyExpression) { match in known.value(match.1) ?? String(match.0) }
    }

    /// What stands for saved values in a text, valid or not.
    static func references(in text: String) -> [Substring] {
        guard text.contains("${saved.") else { return [] }
        return text.matches(of: expression).map { $0.1 }
    }

    private static var anyExpression: Regex<(Substring, Substring)> { /\$\{((?:saved|external)\.[^}]*)\}/ }

    private static var expression: Regex<(Substring, Substring)> { /\$\{saved\.([^}]*)\}/ }
}

/// A place at which a saved value is used.
struct SavedUse: Sendable, Hashable {
    let name: Name
    let place: StepPlace
}
