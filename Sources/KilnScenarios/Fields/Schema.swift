import KilnModel

/// Words for writing JSON Schema (draft 2020-12).
enum Schema {
    static func text(_ about: String) -> JSONValue {
        ["type": "string", "minLength": 1, "description": .string(about)]
    }

    static func pattern(_ pattern: String, _ about: String) -> JSONValue {
        ["type": "string", "pattern": .string(pattern), "description": .string(about)]
    }

    static func whole(_ range: ClosedRange<Int>, _ about: String) -> JSONValue {
        [
            "type": "integer", "minimum": .int(Int64(range.lowerBound)), "maximum": .int(Int64(range.upperBound)),
            "description": .string(about),
        ]
    }

    static func bool(_ about: String) -> JSONValue { ["type": "boolean", "description": .string(about)] }

    static func words<Word: RawRepresentable & CaseIterable>(_: Word.Type, _ about: String) -> JSONValue
    where Word.RawValue == String {
        ["enum": .array(Word.allCases.map { .string($0.rawValue) }), "description": .string(about)]
    }

    static func list(of element: JSONValue, _ about: String) -> JSONValue {
        ["type": "array", "items": element, "minItems": 1, "description": .string(about)]
    }

    static func named(_ element: JSONValue, _ about: String) -> JSONValue {
        [
            "type": "object", "propertyNames": ["pattern": .string(namePattern), "maxLength": 40],
            "additionalProperties": element, "description": .string(about),
        ]
    }

    static func either(_ choices: [JSONValue], _ about: String) -> JSONValue {
        ["anyOf": .array(choices), "description": .string(about)]
    }

    /// A schema that has a name of its own, by which a manual calls it.
    static func titled(_ title: String, _ schema: JSONValue) -> JSONValue {
        guard case .object(var map) = schema else { return schema }
        map["title"] = .string(title)
        return .object(map)
    }

    static func name(_ about: String) -> JSONValue { titled("name", pattern(namePattern, about)) }

    static func size(_ about: String) -> JSONValue { titled("size", pattern("^[1-9][0-9]*(KiB|MiB|GiB|TiB)$", about)) }

    static func duration(_ about: String) -> JSONValue { titled("duration", pattern("^[1-9][0-9]*(ms|s|m|h)$", about)) }

    static func longDuration(_ about: String) -> JSONValue {
        titled("duration", pattern("^[1-9][0-9]*(ms|s|m|h|d)$", about))
    }

    static func image(_ about: String) -> JSONValue {
        titled("image", pattern("^[a-z][a-z0-9-]*(:.+|@sha256:[0-9a-f]{64})?$", about))
    }

    static func guestPath(_ about: String) -> JSONValue { titled("path", pattern("^(/[A-Za-z0-9._@:+-]+)+$", about)) }

    static func urlPath(_ about: String) -> JSONValue { titled("path", pattern("^/[!-~]*$", about)) }

    /// The map whose fields are those of `Field`.
    static func object<Field: FileField>(_: Field.Type, _ about: String) -> JSONValue {
        let properties = Field.allCases.map { ($0.rawValue, $0.schema) }
        return [
            "type": "object", "additionalProperties": false, "description": .string(about),
            "required": .array(Field.required.map { .string($0.rawValue) }),
            "properties": .object(Dictionary(uniqueKeysWithValues: properties)),
        ]
    }

    private static let namePattern = "^[a-z]([a-z0-9-]*[a-z0-9])?$"
}
