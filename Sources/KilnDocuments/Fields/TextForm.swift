import KilnModel

/// A form of text that a field takes: in words, for editors, and as the test that decides.
package struct TextForm: Sendable {
    /// What it is, for "expected …".
    package let expected: String
    /// A regular expression (ECMA 262) that finds something in the accepted texts.
    package let pattern: String
    /// Whether a text has the form.
    package let accepts: @Sendable (String) -> Bool

    package init(_ expected: String, pattern: String, accepts: @escaping @Sendable (String) -> Bool) {
        self.expected = expected
        self.pattern = pattern
        self.accepts = accepts
    }
}

extension Value {
    /// Text of a form.
    package func text(_ form: TextForm) -> String? {
        guard let text = text(form.expected) else { return nil }
        guard form.accepts(text) else {
            mismatch(form.expected)
            return nil
        }
        return text
    }

    /// The key of this value as text of a form.
    package func key(_ entry: YAMLNode.Entry, _ form: TextForm) -> String? {
        if form.accepts(entry.key) { return entry.key }
        placed(at: entry.position).problem("expected \(form.expected), found \(Name.quoted(entry.key))")
        return nil
    }

    /// The text of a scalar as it is written, whatever YAML takes it for; empty where nothing is.
    package func written(_ expected: String) -> String? {
        guard case .scalar(let scalar) = node.content else {
            mismatch(expected)
            return nil
        }
        return scalar.text
    }
}

extension Schema {
    package static func text(_ form: TextForm, _ about: String) -> JSONValue { pattern(form.pattern, about) }

    /// A scalar that is taken as it is written.
    package static func written(_ about: String) -> JSONValue {
        ["type": ["string", "number", "boolean", "null"], "description": .string(about)]
    }

    /// A map whose keys are texts of a form.
    package static func map(
        of element: JSONValue,
        keys: TextForm,
        atLeast least: Int = 0,
        _ about: String
    ) -> JSONValue {
        [
            "type": "object", "propertyNames": ["pattern": .string(keys.pattern)], "minProperties": .int(Int64(least)),
            "additionalProperties": element, "description": .string(about),
        ]
    }
}
