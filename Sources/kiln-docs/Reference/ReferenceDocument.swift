import KilnBakery
import KilnModel
import KilnScenarios

/// A document with tables that are generated: each between `<!-- generated: TITLE -->` and `<!-- end -->`.
struct ReferenceDocument {
    /// Its path from the top of the checkout.
    let path: String
    /// The schema whose tables it holds, all of them.
    let schema: JSONValue

    /// The documents of the project.
    static let all = [
        ReferenceDocument(path: "Scenarios/README.md", schema: ScenarioSchema.document),
        ReferenceDocument(path: "Scenarios/lessons/README.md", schema: LessonSchema.fields),
        ReferenceDocument(path: "Images/README.md", schema: RecipeSchema.document),
    ]

    /// The text with its tables written anew.
    ///
    /// - Throws: `ReferenceProblem` where a table has no place, or a place no table.
    func filled(_ text: String) throws -> String {
        var missing = SchemaTables.of(schema)
        var lines: [Substring] = []
        var isInside = false
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if isInside && line != ReferenceDocument.end { continue }
            lines.append(line)
            isInside = false
            guard let title = ReferenceDocument.title(in: line) else { continue }
            guard let table = missing.firstIndex(where: { $0.title == title }) else {
                throw ReferenceProblem("\(path): no schema has the title '\(title)', or it stands there twice")
            }
            lines += missing.remove(at: table).markdown.split(separator: "\n")
            isInside = true
        }
        if isInside { throw ReferenceProblem("\(path): the last table does not end with \(ReferenceDocument.end)") }
        guard missing.isEmpty else {
            let markers = missing.map { "<!-- generated: \($0.title) -->" }
            throw ReferenceProblem("\(path) lacks \(markers.joined(separator: ", "))")
        }
        return lines.joined(separator: "\n")
    }

    private static let end: Substring = "<!-- end -->"

    private static func title(in line: Substring) -> String? {
        line.wholeMatch(of: /<!-- generated: (.+) -->/).map { String($0.1) }
    }
}

/// What keeps a document from being written.
struct ReferenceProblem: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
