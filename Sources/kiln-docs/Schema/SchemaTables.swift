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
            let next = waiting.removeFirst()
            let schema = definition(next, in: document) ?? next
            guard let title = schema.title, !tables.contains(where: { $0.title == title }) else { continue }
            let fields = rows(of: schema, below: "")
            if !fields.isEmpty {
                tables.append(SchemaTable(title: title, about: schema.about, rows: shared(fields)))
            }
            waiting += mentioned(in: schema)
        }
        return tables
    }

    /// What a schema stands for that only refers to one of the document's definitions.
    private static func definition(_ schema: JSONValue, in document: JSONValue) -> JSONValue? {
        guard let reference = schema["$ref"]?.string, let name = reference.split(separator: "/").last else {
            return nil
        }
        return document["$defs"]?[String(name)]
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
