import Foundation

/// One thing in which the next machine of a server would differ from the present one.
public struct SpecChange: Sendable, Hashable, Codable {
    /// What kind of thing it is.
    public enum Kind: String, Sendable, Hashable, Codable {
        /// The image that it boots from.
        case image
        /// How it is made, from outside of the image.
        case configuration
        /// A volume, or where it is mounted.
        case volume
    }

    /// The kind.
    public let kind: Kind
    /// The field as a lab file writes it, such as `memory`; of a volume its name.
    public let name: String
    /// What it is now; nothing where it is not there, or where its content is not shown.
    public let from: String?
    /// What it would be; nothing as above.
    public let to: String?

    /// A change from its parts.
    public init(_ kind: Kind, _ name: String, from: String?, to: String?) {
        self.kind = kind
        self.name = name
        self.from = from
        self.to = to
    }
}

extension ServerSpec {
    /// In what a machine of `next` would differ from one of this declaration, besides its image.
    ///
    /// Values of a line are shown, and of lists and maps only that they differ: user-data and requests hold secrets.
    public func changes(to next: ServerSpec) -> [SpecChange] {
        let (old, new) = (fields, next.fields)
        let configuration = Set(old.keys).union(new.keys).sorted().filter { old[$0] != new[$0] }
            .map { SpecChange(.configuration, ServerSpec.written($0), from: old[$0]?.line, to: new[$0]?.line) }
        let mounts = Set(volumes.keys).union(next.volumes.keys).sorted().filter { volumes[$0] != next.volumes[$0] }
            .map { SpecChange(.volume, $0.text, from: volumes[$0], to: next.volumes[$0]) }
        return configuration + mounts
    }

    // Through what is encoded, so that a new field can't be forgotten here.
    private var fields: [String: JSONValue] {
        guard let data = try? JSONEncoder().encode(self),
            case .object(var fields) = try? JSONDecoder().decode(JSONValue.self, from: data)
        else { return [:] }
        fields["image"] = nil
        fields["volumes"] = nil
        // It concerns all members together.
        fields["fleet"] = nil
        return fields
    }

    /// `readyTimeout` as a lab file writes it: `ready-timeout`.
    private static func written(_ key: String) -> String {
        key.reduce(into: "") { $0 += $1.isUppercase ? "-\($1.lowercased())" : String($1) }
    }
}

extension JSONValue {
    fileprivate var line: String? {
        switch self {
        case .bool(let value): "\(value)"
        case .int(let value): "\(value)"
        case .string(let value): value
        case .null, .double, .array, .object: nil
        }
    }
}
