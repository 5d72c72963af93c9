import Foundation

/// User-data of any other form than a cloud-config, as its bytes are.
public struct UserDataDocument: Sendable, Hashable, Codable {
    private let content: Data
    /// The top-level keys of the cloud-configs in it, as far as they could be read.
    public let keys: [String]

    /// The largest accepted, in bytes.
    public static let largest = 1 << 20

    /// A document from its bytes.
    public init(_ bytes: [UInt8], keys: [String] = []) {
        content = Data(bytes)
        self.keys = keys
    }

    /// Its bytes.
    public var bytes: [UInt8] { Array(content) }

    /// Its text; nothing where it is packed.
    public var text: String? { String(validating: content, as: UTF8.self) }

    /// What cloud-init takes it for.
    public var form: UserDataForm? { UserDataForm(bytes) }
}
