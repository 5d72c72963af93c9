import KilnModel

/// Words for writing JSON Schema (draft 2020-12).
package enum Schema {
    package static func text(_ about: String) -> JSONValue {
        ["type": "string", "minLength": 1, "description": .string(about)]
    }

    package static func pattern(_ pattern: String, _ about: String) -> JSONValue {
        ["type": "string", "pattern": .string(pattern), "description": .string(about)]
    }

    package static func whole(_ range: ClosedRange<Int>, _ about: String) -> JSONValue {
        [
            "type": "integer", "minimum": .int(Int64(range.lowerBound)), "maximum": .int(Int64(range.upperBound)),
            "description": .string(about),
        ]
    }

    package static func bool(_ about: String) -> JSONValue { ["type": "boolean", "description": .string(about)] }

    package static func words<Word: RawRepresentable & CaseIterable>(_: Word.Type, _ about: String) -> JSONValue
    where Word.RawValue == String {
        ["enum": .array(Word.allCases.map { .string($0.rawValue) }), "description": .string(about)]
    }

    package static func list(of element: JSONValue, atLeast least: Int = 1, _ about: String) -> JSONValue {
        ["type": "array", "items": element, "minItems": .int(Int64(least)), "description": .string(about)]
    }

    package static func named(_ element: JSONValue, atLeast least: Int = 0, _ about: String) -> JSONValue {
        var map: [String: JSONValue] = [
            "type": "object", "propertyNames": ["pattern": .string(namePattern), "maxLength": 40],
            "additionalProperties": element, "description": .string(about),
        ]
        if least > 0 { map["minProperties"] = .int(Int64(least)) }
        return .object(map)
    }

    package static func either(_ choices: [JSONValue], _ about: String) -> JSONValue {
        ["anyOf": .array(choices), "description": .string(about)]
    }

    /// A schema that has a name of its own, by which a manual calls it.
    package static func titled(_ title: String, _ schema: JSONValue) -> JSONValue {
        guard case .object(var map) = schema else { return schema }
        map["title"] = .string(title)
        return .object(map)
    }

    package static func name(_ about: String) -> JSONValue { titled("name", pattern(namePattern, about)) }

    /// A server's name, or that of one of its members.
    package static func member(_ about: String) -> JSONValue {
        titled("name", pattern(namePattern.dropLast() + "(\\.[0-9]+)?$", "\(about) 'web.1' is one of its members."))
    }

    package static func size(_ about: String) -> JSONValue {
        titled("size", pattern("^[1-9][0-9]*(KiB|MiB|GiB|TiB)$", about))
    }

    package static func duration(_ about: String) -> JSONValue {
        titled("duration", pattern("^[1-9][0-9]*(ms|s|m|h)$", about))
    }

    package static func longDuration(_ about: String) -> JSONValue {
        titled("duration", pattern("^[1-9][0-9]*(ms|s|m|h|d)$", about))
    }

    package static func processorModel(_ about: String) -> JSONValue {
        pattern("^(x86-64-v[23]|host|(?!x86-64)[A-Za-z0-9][A-Za-z0-9._-]{0,39})$", about)
    }

    /// The map whose fields are those of `Field`.
    package static func object<Field: FileField>(_: Field.Type, _ about: String) -> JSONValue {
        let properties = Field.allCases.map { ($0.rawValue, $0.schema) }
        return [
            "type": "object", "additionalProperties": false, "description": .string(about),
            "required": .array(Field.required.map { .string($0.rawValue) }),
            "properties": .object(Dictionary(uniqueKeysWithValues: properties)),
        ]
    }

    /// The schema of a whole file, whose fields are those of `Field`.
    package static func document<Field: FileField>(_ fields: Field.Type, title: String, _ about: String) -> JSONValue {
        guard case .object(var map) = object(fields, about) else { return .null }
        map["$schema"] = "https://json-schema.org/draft/2020-12/schema"
        map["title"] = .string(title)
        return .object(map)
    }

    private static let namePattern = "^[a-z]([a-z0-9-]*[a-z0-9])?$"
}
