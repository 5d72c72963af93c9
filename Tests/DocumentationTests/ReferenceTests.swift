import KilnModel
import Testing

@testable import kiln_docs

@Suite("Tables in documents")
struct ReferenceTests {
    private let document = ReferenceDocument(
        path: "a.md",
        schema: [
            "title": "thing", "type": "object", "properties": ["a": ["type": "string", "description": "x | <y>"]],
        ]
    )

    @Test("the generated tables are those of today's schemas", arguments: ReferenceDocument.all.map(\.path))
    func stale(path: String) throws {
        let document = try #require(ReferenceDocument.all.first { $0.path == path })
        let text = try Checkout.text(path)
        #expect(try document.filled(text) == text, "\(path) is stale: run 'make docs'")
    }

    @Test("a table is written between its markers, and nothing else changes")
    func written() throws {
        let text = "before\n<!-- generated: thing -->\nold\n<!-- end -->\nafter\n"
        let table = "| thing | | |\n|---|---|---|\n| `a` | text | x \\| &lt;y> |"
        let expected = "before\n<!-- generated: thing -->\n\(table)\n<!-- end -->\nafter\n"
        #expect(try document.filled(text) == expected)
        #expect(try document.filled(expected) == expected)
    }

    @Test(
        "a table without a place, a place without a table, and one without an end are refused",
        arguments: [
            "no marker", "<!-- generated: thing -->\nold",
            "<!-- generated: thing -->\n<!-- end -->\n<!-- generated: other -->\n<!-- end -->",
            "<!-- generated: thing -->\n<!-- end -->\n<!-- generated: thing -->\n<!-- end -->",
        ]
    )
    func refused(text: String) {
        #expect(throws: ReferenceProblem.self) { try document.filled(text) }
    }
}
