import KilnDocuments
import KilnModel

extension YAMLNode {
    /// The part as JSON, typed as cloud-init would type it.
    var json: JSONValue {
        switch content {
        case .scalar(let scalar): scalar.json
        case .list(let elements): .array(elements.map(\.json))
        case .map(let entries):
            .object(Dictionary(entries.map { ($0.key, $0.json) }, uniquingKeysWith: { first, _ in first }))
        case .broken: .null
        }
    }
}

extension YAMLNode.Entry {
    /// The value as JSON; of `permissions` the mode that is meant by it, as text, which cloud-init reads as octal.
    fileprivate var json: JSONValue {
        guard key == "permissions", case .scalar(let scalar) = value.content, let mode = WrittenMode(scalar) else {
            return value.json
        }
        return .string(mode.digits)
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
