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
    /// The value as JSON; of `permissions` the digits as they are written, which is what people mean by them.
    ///
    /// A number would be 420 for `0644`, and for `644` a mode that nobody wants. cloud-init reads text as octal.
    fileprivate var json: JSONValue {
        guard key == "permissions", case .scalar(let scalar) = value.content, let mode = scalar.mode else {
            return value.json
        }
        return .string(mode)
    }
}

extension YAMLScalar {
    /// The digits of a file's mode, where nothing else is written.
    fileprivate var mode: String? {
        let digits = text.hasPrefix("0o") ? "0" + text.dropFirst(2) : text
        let isOctal = !digits.isEmpty && digits.utf8.allSatisfy { (0x30...0x37).contains($0) }
        return isOctal ? digits : nil
    }

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
