import KilnModel

extension YAMLNode {
    /// The part as JSON, typed as cloud-init would type it.
    var json: JSONValue {
        switch content {
        case .scalar(let scalar): scalar.json
        case .list(let elements): .array(elements.map(\.json))
        case .map(let entries):
            .object(Dictionary(entries.map { ($0.key, $0.value.json) }, uniquingKeysWith: { first, _ in first }))
        case .broken: .null
        }
    }
}

extension YAMLScalar {
    /// The scalar as JSON.
    var json: JSONValue {
        switch meaning {
        case .text: .string(text)
        case .nothing: .null
        case .bool(let value): .bool(value)
        case .whole(let value): .int(value)
        case .fraction(let value): .double(value)
        }
    }
}
