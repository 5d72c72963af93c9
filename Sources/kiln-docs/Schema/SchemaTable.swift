/// The fields of one thing in a file, such as a server.
struct SchemaTable: Equatable {
    /// A field.
    struct Row: Hashable {
        /// Its path within the table, such as `http.port`; `NAME` stands for any name, `[]` for each of a list, `*` for
        /// each of those above.
        let name: String
        /// What may be written, in a few words.
        let type: String
        let isRequired: Bool
        let about: String
    }

    /// What the fields belong to: the schema's title.
    let title: String
    let about: String
    let rows: [Row]

    /// The table in Markdown.
    var markdown: String {
        let head = ["| \(title) | | |", "|---|---|---|"]
        let body = rows.map { row in
            "| `\(row.name)` | \(row.kind) | \(row.about.replacing("|", with: "\\|").replacing("<", with: "&lt;")) |"
        }
        return (head + body).joined(separator: "\n")
    }
}

extension SchemaTable.Row {
    /// The type, and whether the field has to be there.
    var kind: String { isRequired ? "\(type); required" : type }
}
