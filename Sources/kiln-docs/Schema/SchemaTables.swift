import KilnModel

/// Reads the tables out of a JSON Schema: one for each titled schema that has fields.
///
/// What has no title of its own belongs to the table that it stands in, by its path.
struct SchemaTables {
    /// The tables: the document's own first, then in the order in which they are mentioned.
    static func of(_ document: JSONValue) -> [SchemaTable] {
        var waiting = [document]
        var tables: [SchemaTable] = []
        while !waiting.isEmpty {
            let schema = waiting.removeFirst()
            guard let title = schema.title, !tables.contains(where: { $0.title == title }) else { continue }
            let fields = rows(of: schema, below: "")
            if !fields.isEmpty {
                tables.append(SchemaTable(title: title, about: schema.about, rows: shared(fields)))
            }
            waiting += mentioned(in: schema)
        }
        return tables
    }

    /// The rows of a schema's fields, and of what they hold that has no table of its own.
    private static func rows(of schema: JSONValue, below path: String) -> [SchemaTable.Row] {
        schema.objects.flatMap { object in
            object.fields.flatMap { name, field, isRequired in
                let row = SchemaTable.Row(
                    name: path + name,
                    type: SchemaType.text(of: field),
                    isRequired: isRequired,
                    about: field.about
                )
                return [row] + inner(field, below: path + name)
            }
        }
    }

    private static func inner(_ field: JSONValue, below path: String) -> [SchemaTable.Row] {
        if field.title != nil { return [] }
        let choices = field.choices
        return rows(of: field, below: path + ".")
            + choices.compactMap(\.element).filter { $0.title == nil }.flatMap { rows(of: $0, below: path + ".NAME.") }
            + choices.compactMap(\.item).filter { $0.title == nil }.flatMap { rows(of: $0, below: path + "[].") }
    }

    /// The titled schemas that stand in this one, but not in another titled one.
    private static func mentioned(in schema: JSONValue) -> [JSONValue] {
        let parts = schema.choices.flatMap { $0.fields.map(\.field) + [$0.element, $0.item].compactMap { $0 } }
        return schema.titledChoices + parts.flatMap { $0.title == nil ? mentioned(in: $0) : [$0] }
    }

    /// Fields that each of several maps has in the same way stand once, below `*`.
    private static func shared(_ rows: [SchemaTable.Row]) -> [SchemaTable.Row] {
        let parents = Set(rows.compactMap(\.parent))
        let groups = Dictionary(grouping: rows.filter { $0.parent != nil }) { $0.anywhere }
        let common = groups.filter { parents.count > 2 && $0.value.count == parents.count }.keys
        return rows.filter { !common.contains($0.anywhere) } + common.sorted { $0.name < $1.name }
    }
}

extension SchemaTable.Row {
    /// The map that it is a field of, where that is a row of the same table.
    fileprivate var parent: Substring? { name.firstIndex(of: ".").map { name[..<$0] } }

    /// The same field of whichever map.
    fileprivate var anywhere: SchemaTable.Row {
        SchemaTable.Row(
            name: parent.map { "*" + name.dropFirst($0.count) } ?? name,
            type: type,
            isRequired: isRequired,
            about: about
        )
    }
}

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
