import KilnModel

/// A JSON Schema, read for its fields.
extension JSONValue {
    var title: String? { self["title"]?.string }

    var about: String { self["description"]?.string ?? "" }

    /// What may be chosen from, as far as it has no title; where there is no choice, the schema itself.
    var choices: [JSONValue] {
        self["anyOf"]?.array?.flatMap { $0.title == nil ? $0.choices : [] } ?? [self]
    }

    /// The choices that have a title.
    var titledChoices: [JSONValue] {
        self["anyOf"]?.array?.flatMap { $0.title == nil ? $0.titledChoices : [$0] } ?? []
    }

    /// The choices that are maps with fields of their own.
    var objects: [JSONValue] { choices.filter { $0["properties"] != nil } }

    /// What a map of names holds for each.
    var element: JSONValue? {
        guard case .object? = self["additionalProperties"] else { return nil }
        return self["additionalProperties"]
    }

    /// What a list holds.
    var item: JSONValue? { self["items"] }

    /// The fields of a map by name, those that are required first.
    var fields: [(name: String, field: JSONValue, isRequired: Bool)] {
        guard case .object(let properties)? = self["properties"] else { return [] }
        let required = Set(self["required"]?.array?.compactMap(\.string) ?? [])
        return properties.map { ($0.key, $0.value, required.contains($0.key)) }
            .sorted { ($0.isRequired ? 0 : 1, $0.name) < ($1.isRequired ? 0 : 1, $1.name) }
    }
}
