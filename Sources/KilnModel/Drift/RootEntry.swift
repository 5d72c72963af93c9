/// What is at one path of a root file system, as far as drift looks at it.
///
/// Times are not among it: a content that came back is no drift, and a time that was set back hides none.
public struct RootEntry: Sendable, Hashable {
    /// What kind of thing it is.
    public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
        /// A regular file.
        case file = "f"
        /// A directory.
        case directory = "d"
        /// A symbolic link.
        case link = "l"
        /// A character device.
        case character = "c"
        /// A block device.
        case block = "b"
        /// A named pipe.
        case pipe = "p"
        /// A socket.
        case socket = "s"
        /// Something that the file system does not hold together: it can't be read, or one name stands for two things.
        case damaged = "x"
    }

    /// What kind of thing it is.
    public let kind: Kind
    /// The permission bits, 12 of them.
    public let mode: UInt16
    /// The user who owns it.
    public let user: UInt32
    /// The group that owns it.
    public let group: UInt32
    /// The bytes of a regular file; 0 otherwise.
    public let size: UInt64
    /// The sha256 of a regular file's content in hexadecimal digits, the escaped target of a link, or `MAJOR:MINOR`.
    ///
    /// Nothing for the other kinds, and for a file that is too large to be read.
    public let value: String?
    /// The sha256 over extended attributes and the flags that `chattr` sets; nothing where there are none.
    public let attributes: String?

    /// An entry from its parts.
    public init(
        kind: Kind,
        mode: UInt16,
        user: UInt32,
        group: UInt32,
        size: UInt64 = 0,
        value: String? = nil,
        attributes: String? = nil
    ) {
        self.kind = kind
        self.mode = mode
        self.user = user
        self.group = group
        self.size = size
        self.value = value
        self.attributes = attributes
    }

    /// The line of a listing: seven fields and the path.
    public func line(_ path: RootPath) -> String {
        "\(kind.rawValue) \(String(mode, radix: 8)) \(user) \(group) \(size) \(value ?? "-") \(attributes ?? "-") "
            + path.text
    }

    /// Reads the first seven fields of a line; nothing where they are not what ``line(_:)`` writes.
    init?(fields: [Substring]) {
        guard fields.count == 7, let kind = Kind(rawValue: String(fields[0])),
            let mode = UInt16(fields[1], radix: 8), mode <= 0o7777, let user = UInt32(fields[2]),
            let group = UInt32(fields[3]), let size = UInt64(fields[4])
        else { return nil }
        let value = fields[5] == "-" ? nil : String(fields[5])
        let attributes = fields[6] == "-" ? nil : String(fields[6])
        guard attributes.map({ ImageDigest($0) != nil }) ?? true, RootEntry.accepts(value, of: kind) else { return nil }
        self.init(
            kind: kind,
            mode: mode,
            user: user,
            group: group,
            size: size,
            value: value,
            attributes: attributes
        )
    }

    private static func accepts(_ value: String?, of kind: Kind) -> Bool {
        switch kind {
        case .file: value.map { ImageDigest($0) != nil } ?? true
        case .link: value != nil
        case .character, .block:
            value.map { $0.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x3a } } ?? false
        case .directory, .pipe, .socket, .damaged: value == nil
        }
    }
}
