import KilnModel
import KilnScenarios
import Testing

@testable import kiln_docs

@Suite("The tables of a schema")
struct SchemaTablesTests {
    private let point: JSONValue = [
        "title": "point", "type": "object", "description": "A place.", "required": ["y"],
        "properties": ["x": ["type": "integer", "minimum": 1, "maximum": 3], "y": ["type": "boolean"]],
    ]

    private func file(_ fields: JSONValue) -> JSONValue { ["title": "file", "type": "object", "properties": fields] }

    private func rows(_ fields: JSONValue) -> [String] {
        SchemaTables.of(file(fields)).first?.rows.map { "\($0.name): \($0.kind)" } ?? []
    }

    @Test("what has a title is a table of its own, and a type elsewhere; what is required comes first")
    func titled() {
        let tables = SchemaTables.of(
            file(["at": point, "all": ["type": "array", "items": point], "by": ["additionalProperties": point]])
        )
        #expect(tables.map(\.title) == ["file", "point"])
        #expect(tables[0].rows.map(\.type) == ["list of points", "point", "map of name to point"])
        #expect(tables[1].rows.map { "\($0.name): \($0.kind)" } == ["y: true or false; required", "x: 1 to 3"])
    }

    @Test("what has no title belongs to the table that it stands in, by its path")
    func inner() {
        let text: JSONValue = ["type": "string"]
        let map: JSONValue = ["type": "object", "properties": ["a": text]]
        #expect(rows(["m": map]) == ["m: map", "m.a: text"])
        #expect(rows(["m": ["type": ["string", "number"]]]) == ["m: text"])
        #expect(rows(["m": ["additionalProperties": map]]) == ["m: map of name to map", "m.NAME.a: text"])
        #expect(rows(["m": ["type": "array", "items": map]]) == ["m: list of maps", "m[].a: text"])
        #expect(rows(["m": ["anyOf": [["enum": ["x", "y", .null]], map]]]) == ["m: x or y or map", "m.a: text"])
    }

    @Test("a choice with a title is not told twice")
    func choice() {
        #expect(rows(["p": ["anyOf": [["type": "string"], point]]]) == ["p: text or point"])
    }

    @Test("what several maps have in the same way stands once")
    func shared() {
        func kind(_ own: String) -> JSONValue {
            ["type": "object", "properties": ["every": ["type": "string"], "own": ["const": .string(own)]]]
        }
        let found = rows(["a": kind("a"), "b": kind("b"), "c": kind("c")])
        #expect(found == ["a: map", "a.own: a", "b: map", "b.own: b", "c: map", "c.own: c", "*.every: text"])
    }

    @Test("a title means one thing in all the schemas")
    func titles() {
        var fields: [String: Set<JSONValue>] = [:]
        for schema in ReferenceDocument.all.map(\.schema) { collect(schema, &fields) }
        #expect(fields.keys.contains("server") && fields.keys.contains("probe"))
        for (title, shapes) in fields { #expect(shapes.count == 1, "\(title)") }
    }

    /// What has fields, by title; what it is for may differ from place to place.
    private func collect(_ schema: JSONValue, _ found: inout [String: Set<JSONValue>]) {
        switch schema {
        case .object(var map):
            if let title = schema.title, !SchemaTables.of(schema).isEmpty {
                map["description"] = nil
                found[title, default: []].insert(.object(map))
            }
            for value in map.values { collect(value, &found) }
        case .array(let list): for value in list { collect(value, &found) }
        default: break
        }
    }
}
