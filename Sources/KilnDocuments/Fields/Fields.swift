import KilnModel

/// The fields of one kind of map in a file: the decoder reads through it and the editors' schema is written from it, so
/// neither knows a field that the other does not.
package protocol FileField: RawRepresentable, CaseIterable, Hashable, Sendable where RawValue == String {
    /// The fields that can't be left out.
    static var required: [Self] { get }
    /// What to write instead of fields that are known elsewhere, or were known before, but not here.
    static var instead: [String: String] { get }
    /// The JSON Schema of the field's value.
    var schema: JSONValue { get }
}

extension FileField {
    package static var instead: [String: String] { [:] }
}

/// A map with a fixed set of fields.
package struct Fields<Field: FileField> {
    package let value: Value
    private let values: [Field: Value]

    /// Reports unknown and missing fields; nothing where it is no map at all.
    package init?(_ value: Value, _ expected: String) {
        guard case .map(let entries) = value.node.content else {
            value.mismatch(expected)
            return nil
        }
        var values: [Field: Value] = [:]
        let known = Field.allCases.map(\.rawValue)
        for entry in entries {
            let path = FieldPath.joined(value.path, entry.key)
            guard let field = Field(rawValue: entry.key) else {
                let suggestion =
                    Field.instead[entry.key].map { " (\($0))" } ?? Suggestion.text(for: entry.key, among: known)
                let message = "unknown field\(suggestion); expected one of \(known.joined(separator: ", "))"
                value.problems.add(entry.position, path, message)
                continue
            }
            values[field] = Value(node: entry.value, path: path, problems: value.problems)
        }
        self.value = value
        self.values = values
        require(Field.required)
    }

    /// Reports those of the fields that are not written.
    package func require(_ fields: [Field]) {
        for field in fields where values[field] == nil {
            value.problem("the field '\(field.rawValue)' is missing")
        }
    }

    /// The field's value, where it is written.
    package subscript(field: Field) -> Value? { values[field] }

    /// Whether no field is written but these.
    package func hasOnly(_ fields: Set<Field>) -> Bool { fields.isSuperset(of: values.keys) }
}
