import Foundation
import KilnModel
import Yams

/// JSON as sorted text.
public func jsonText(_ value: JSONValue) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
}

/// Checks YAML as an editor does, by the part of JSON Schema that Kiln's schemas use.
public struct SchemaChecker {
    private let schema: JSONValue

    /// A checker by a schema.
    public init(_ schema: JSONValue) { self.schema = schema }

    /// What is wrong with a YAML text.
    public func problems(_ yaml: String) throws -> [String] {
        try Yams.compose(yaml: yaml).map { try problems(JSONValue(editorsViewOf: $0), schema, "$") } ?? ["empty"]
    }

    /// The keywords of the schema that the checker passes over.
    public var unknownKeywords: Set<String> { keywords(schema).subtracting(SchemaChecker.known) }

    private static let known: Set = [
        "$schema", "title", "description", "type", "const", "enum", "anyOf", "minLength", "maxLength", "pattern",
        "minimum", "maximum", "minItems", "items", "required", "minProperties", "maxProperties", "propertyNames",
        "properties", "additionalProperties", "oneOf", "$ref", "$defs",
    ]

    private func keywords(_ schema: JSONValue) -> Set<String> {
        switch schema {
        case .object(let map):
            map.reduce(into: Set(map.keys)) { found, entry in
                guard entry.key == "properties" || entry.key == "$defs", case .object(let properties) = entry.value
                else {
                    return found.formUnion(keywords(entry.value))
                }
                properties.values.forEach { found.formUnion(keywords($0)) }
            }
        case .array(let list): list.reduce(into: []) { $0.formUnion(keywords($1)) }
        default: []
        }
    }

    private func problems(_ value: JSONValue, _ schema: JSONValue, _ path: String) throws -> [String] {
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
        case ("description", _, _), ("title", _, _), ("$schema", _, _), ("$defs", _, _): return []
        case ("$ref", .string(let place), _):
            // The only form that Kiln's schemas use.
            guard place.hasPrefix("#/$defs/"), let meant = self.schema["$defs"]?[String(place.dropFirst(8))] else {
                return ["\(path): nothing is at \(place)"]
            }
            return try problems(value, meant, path)
        case ("oneOf", .array(let choices), _):
            return try wrong(choices.count { (try? problems(value, $0, path).isEmpty) == true } != 1)
        case ("type", .string(let type), _): return try wrong(!isOf(type, value))
        case ("type", .array(let types), _): return try wrong(!types.contains { isOf($0.string ?? "", value) })
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
            return try map.filter { schema["properties"]?[$0.key] == nil }
                .flatMap { key, value in try problems(value, rule, "\(path).\(key)") }
        default: return []
        }
    }

    private func isOf(_ type: String, _ value: JSONValue) -> Bool {
        switch (type, value) {
        case ("object", .object), ("array", .array), ("string", .string), ("integer", .int), ("number", .int),
            ("number", .double), ("boolean", .bool), ("null", .null):
            true
        default: false
        }
    }
}

extension JSONValue {
    /// A document as an editor sees it, by the core schema of YAML 1.2.
    fileprivate init(editorsViewOf node: Node) {
        switch node {
        case .mapping(let map):
            let entries = map.map { ($0.scalar?.string ?? "", JSONValue(editorsViewOf: $1)) }
            self = .object(Dictionary(entries, uniquingKeysWith: { $1 }))
        case .sequence(let list): self = .array(list.map { JSONValue(editorsViewOf: $0) })
        case .scalar(let scalar) where scalar.style == .plain: self.init(plain: scalar.string)
        default: self = .string(node.scalar?.string ?? "")
        }
    }

    private init(plain text: String) {
        switch text {
        case "", "~", "null", "Null", "NULL": self = .null
        case "true", "True", "TRUE": self = .bool(true)
        case "false", "False", "FALSE": self = .bool(false)
        default:
            if let whole = Int64(text) {
                self = .int(whole)
            } else if let number = Double(text), number.isFinite {
                self = .double(number)
            } else {
                self = .string(text)
            }
        }
    }
}
