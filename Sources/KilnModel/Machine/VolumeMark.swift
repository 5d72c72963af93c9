import Foundation

/// What tells the file system that Kiln made on a volume from one that a guest made in its place.
///
/// It lies in the 512 bytes from 512 on, which ext4 leaves to boot loaders. mke2fs, that of busybox too, and mkfs.btrfs erase
/// them; mounting, e2fsck, `tune2fs -U` and resize2fs leave them as they are. So a mark that is gone means that the volume
/// was formatted, whatever UUID and label it has now.
public struct VolumeMark: Sendable, Hashable {
    /// Which one it is; every volume has its own.
    public let id: UUID

    /// Where it lies on the disk, in bytes.
    public static let offset = 512
    /// How many bytes it takes.
    public static let length = 512

    private static let word = Array("KILNMARK".utf8)
    private static let version: UInt8 = 1
    private static let copies = 8
    private static let copyLength = length / copies

    /// A mark that no volume has yet.
    public init() { self.init(UUID()) }

    /// The mark of that identity.
    public init(_ id: UUID) { self.id = id }

    /// What stands on the disk: the same 64 bytes eight times, so that a damaged bit is not taken for a lost mark.
    public var bytes: [UInt8] {
        let identity = withUnsafeBytes(of: id.uuid) { Array($0) }
        let copy = VolumeMark.word + [VolumeMark.version] + identity
        return (0..<VolumeMark.copies).flatMap { _ in
            copy + [UInt8](repeating: 0, count: VolumeMark.copyLength - copy.count)
        }
    }

    /// What was found where a mark should lie.
    public enum Finding: Sendable, Hashable {
        /// A mark.
        case mark(VolumeMark)
        /// A mark of a later version of Kiln, by the number of its format.
        case newer(UInt8)
        /// No mark.
        case none
    }

    /// Reads what lies at ``offset``; what most copies say counts, and at least three of the eight have to agree.
    public static func finding(in bytes: [UInt8]) -> Finding {
        guard bytes.count == length else { return .none }
        let copies = stride(from: 0, to: length, by: copyLength).map { Array(bytes[$0..<$0 + copyLength]) }
        let votes = Dictionary(grouping: copies, by: { $0 }).filter { $0.value.count >= 3 }
        guard let copy = votes.max(by: { $0.value.count < $1.value.count })?.key, copy.starts(with: word) else {
            return .none
        }
        let found = copy[word.count]
        guard found == version else { return .newer(found) }
        let identity = copy[(word.count + 1)..<(word.count + 17)]
        return .mark(VolumeMark(identity.withUnsafeBytes { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) }))
    }
}

extension VolumeMark: Codable {
    /// Decodes its identity.
    public init(from decoder: any Decoder) throws {
        self.init(try decoder.singleValueContainer().decode(UUID.self))
    }

    /// Encodes its identity.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(id)
    }
}
