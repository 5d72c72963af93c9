import Foundation

/// A JSON document as a value; holds user-data and other parts whose shape belongs to somebody else.
public enum JSONValue: Sendable, Hashable, Codable {
    /// `null`.
    case null
    /// `true` or `false`.
    case bool(Bool)
    /// A whole number.
    case int(Int64)
    /// A number with a fraction.
    case double(Double)
    /// Text.
    case string(String)
    /// A list.
    case array([JSONValue])
    /// A map; the order of keys carries no meaning.
    case object([String: JSONValue])

    /// Decodes any JSON document.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int64.self) {
            self = .int(value)
        } else if let value = try? container.decode(Double.self) {
            self = .double(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSONValue].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }

    /// Encodes the document.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .int(let value): try container.encode(value)
        case .double(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .array(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }

    /// The value of `key` where this is a map that has it.
    public subscript(key: String) -> JSONValue? {
        guard case .object(let map) = self else { return nil }
        return map[key]
    }

    /// The text where this is text.
    public var string: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    /// The elements where this is a list.
    public var array: [JSONValue]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }

    /// This document with every text in it, keys excepted, passed through `transform`.
    public func mapStrings(_ transform: (String) throws -> String) rethrows -> JSONValue {
        switch self {
        case .string(let text): .string(try transform(text))
        case .array(let elements): .array(try elements.map { try $0.mapStrings(transform) })
        case .object(let map): .object(try map.mapValues { try $0.mapStrings(transform) })
        case .null, .bool, .int, .double: self
        }
    }
}
