import Foundation
import KilnModel
import KilnScenarios
import Testing
import Yams

func jsonText(_ value: JSONValue) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
}

/// The part of JSON Schema that the document uses; an unknown keyword is an error of the schema.
struct SchemaChecker {
    /// What is wrong with `value`.
    func problems(_ value: JSONValue, _ schema: JSONValue, _ path: String = "$") throws -> [String] {
        guard case .object(let keywords) = schema else { return ["\(path): the schema is no map"] }
        return try keywords.sorted { $0.key < $1.key }.flatMap { keyword, rule -> [String] in
            try accepts(value, keyword, rule, schema, path)
        }
    }

    private func accepts(_ value: JSONValue, _ keyword: String, _ rule: JSONValue, _ schema: JSONValue, _ path: String)
        throws -> [String]
    {
        func wrong(_ isWrong: Bool) throws -> [String] {
            isWrong ? ["\(path): \(keyword) \(try jsonText(rule)), found \(try jsonText(value))"] : []
        }
        switch (keyword, rule, value) {
        case ("description", _, _), ("title", _, _), ("$schema", _, _): return []
        case ("type", .string("object"), .object), ("type", .string("array"), .array),
            ("type", .string("string"), .string),
            ("type", .string("integer"), .int), ("type", .string("boolean"), .bool):
            return []
        case ("type", _, _): return try wrong(true)
        case ("const", _, _): return try wrong(rule != value)
        case ("enum", .array(let choices), _): return try wrong(!choices.contains(value))
        case ("anyOf", .array(let choices), _):
            return try wrong(choices.allSatisfy { !(try problems(value, $0, path)).isEmpty })
        case ("minLength", .int(let least), .string(let text)): return try wrong(text.count < least)
        case ("maxLength", .int(let most), .string(let text)): return try wrong(text.count > most)
        case ("pattern", .string(let pattern), .string(let text)):
            return try wrong(text.firstMatch(of: Regex(pattern)) == nil)
        case ("minimum", .int(let least), .int(let number)): return try wrong(number < least)
        case ("maximum", .int(let most), .int(let number)): return try wrong(number > most)
        case ("minItems", .int(let least), .array(let elements)): return try wrong(elements.count < least)
        case ("items", _, .array(let elements)):
            return try elements.enumerated().flatMap { try problems($1, rule, "\(path)[\($0)]") }
        case ("required", .array(let fields), .object(let map)):
            return try wrong(fields.contains { map[$0.string ?? ""] == nil })
        case ("minProperties", .int(let least), .object(let map)): return try wrong(map.count < least)
        case ("maxProperties", .int(let most), .object(let map)): return try wrong(map.count > most)
        case ("propertyNames", _, .object(let map)):
            return try map.keys.flatMap { try problems(.string($0), rule, path) }
        case ("properties", .object(let properties), .object(let map)):
            return try map.flatMap { key, value in
                try properties[key].map { try problems(value, $0, "\(path).\(key)") } ?? []
            }
        case ("additionalProperties", .bool(false), .object(let map)):
            return try wrong(map.keys.contains { schema["properties"]?[$0] == nil })
        case ("additionalProperties", .object, .object(let map)):
            return try map.flatMap { key, value in try problems(value, rule, "\(path).\(key)") }
        default: return []
        }
    }
}

@Suite("The schema for editors")
struct SchemaTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Scenarios")

    private func problems(_ yaml: String) throws -> [String] {
        let node = try #require(try Yams.compose(yaml: yaml))
        return try SchemaChecker().problems(json(node), ScenarioSchema.document)
    }

    /// The document as an editor sees it.
    private func json(_ node: Node) -> JSONValue {
        switch node {
        case .mapping(let map): .object(Dictionary(map.map { ($0.string ?? "", json($1)) }, uniquingKeysWith: { $1 }))
        case .sequence(let list): .array(list.map(json))
        default:
            if node.null != nil, node.string == nil || node.string == "" {
                .null
            } else if let value = node.bool {
                .bool(value)
            } else if let value = node.int {
                .int(Int64(value))
            } else {
                .string(node.string ?? "")
            }
        }
    }

    @Test("every scenario of the project is read, and follows the schema")
    func scenarios() throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: SchemaTests.folder.path)
        #expect(files.contains("replace-keeps-data.yaml") && files.contains("debian-replace.yaml"))
        for file in files where file.hasSuffix(".yaml") {
            let path = SchemaTests.folder.appending(path: file).path
            let scenario = try ScenarioFile.scenario(at: path)
            #expect(scenario.name.text + ".yaml" == file)
            #expect(try problems(String(contentsOfFile: path, encoding: .utf8)).isEmpty)
        }
    }

    @Test("what the decoder takes, the schema takes")
    func full() throws {
        #expect(try problems(ScenarioFileTests.full).isEmpty)
    }

    @Test(
        "what the decoder refuses for its structure, the schema refuses",
        arguments: [
            "colour: red", "processors: 65", "network: opne", "volumes: { data: data }", "volumes: { Data: /data }",
            "ports: { http: 0 }", "ports: { http: { host: 1 } }", "ready: []", "ready: [agnet]",
            "ready: [{ exec: [] }]",
            "ready: [{ http: { port: http } }]", "ready: [{ http: { port: http, path: /, method: get } }]",
            "ready: [{ http: { port: http, path: /, status: 2x } }]",
            "ready: [{ http: { port: http, path: /, status: [] } }]",
            "ready: [{ http: { port: http, path: /, headers: { 'a b': c } } }]",
            "ready: [{ http: { port: http, path: /, tls: false } }]",
            "ready: [{ http: { port: http, path: /, tls: { verify: 1 } } }]", "ready-timeout: 90", "root: gone",
            "strategy: warm",
            "hidden-data: keep", "verify: []",
            "ready: [{ agent: { successes: 0 } }]", "ready: [{ cloud-init: { failures: 101 } }]",
            "ready: [{ exec: { every: 1s } }]", "warm-ready: [agnet]", "drain: [{ deadline: 1s }]", "after-attach: []",
            "drain: [{ run: [] }]", "min-healthy: 10", "healthy-deadline: 2d", "console-allow: ['']",
            "ephemeral: [tmp]", "ephemeral: [/]", "keep-roots: 17", "max-age: 30", "max-age: 1y", "memory: 256M",
            "user-data: '#!/bin/sh'", "cpu: x86-64-v9", "cpu: 'max,+avx'", "cpu: []",
        ]
    )
    func refused(fields: String) throws {
        #expect(try !problems(scenario(server: fields)).isEmpty)
    }

    @Test("the schema uses no keyword that the checker of this test passes over")
    func keywords() throws {
        let known: Set = [
            "$schema", "title", "description", "type", "const", "enum", "anyOf", "minLength", "maxLength", "pattern",
            "minimum", "maximum", "minItems", "items", "required", "minProperties", "maxProperties", "propertyNames",
            "properties", "additionalProperties",
        ]
        #expect(keywords(ScenarioSchema.document).subtracting(known).isEmpty)
    }

    private func keywords(_ schema: JSONValue) -> Set<String> {
        switch schema {
        case .object(let map):
            map.reduce(into: Set(map.keys)) { found, entry in
                guard entry.key == "properties", case .object(let properties) = entry.value else {
                    return found.formUnion(keywords(entry.value))
                }
                properties.values.forEach { found.formUnion(keywords($0)) }
            }
        case .array(let list): list.reduce(into: []) { $0.formUnion(keywords($1)) }
        default: []
        }
    }
}
