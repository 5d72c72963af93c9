import Foundation

/// What tells the file system that Kiln made on a volume from one that a guest made in its place.
///
/// It lies in the 512 bytes from 512 on, which ext4 leaves to boot loaders. mke2fs and mkfs.btrfs erase them; mounting,
/// e2fsck, `tune2fs -U` and resize2fs leave them as they are. busybox's mke2fs leaves them, too, so the mark also holds the time
/// at which the superblock says that it was made, which nothing but a format changes. So a mark that is gone, or of another
/// time, means that the volume was formatted, whatever UUID and label it has now.
///
/// What leaves both alone, such as a partition table, is told by its own signs. The mark holds those that stood there when it
/// was written, so that what a former use of an imported disk left is not taken for news.
///
/// https://docs.kernel.org/filesystems/ext4/globals.html (s_magic, s_mkfs_time)
public struct VolumeMark: Sendable, Hashable {
    /// Which one it is; every volume has its own.
    public let id: UUID

    /// Where it lies on the disk, in bytes.
    public static let offset = 512
    /// How many bytes it takes.
    public static let length = 512
    /// How many bytes of the start of a disk tell whether it stands: itself, the superblock, and where other formats begin.
    public static let reach = 4608

    private static let word = Array("KILNMARK".utf8)
    private static let version: UInt8 = 1
    private static let copies = 8
    private static let copyLength = length / copies

    /// A mark that no volume has yet.
    public init() { self.init(UUID()) }

    /// The mark of that identity.
    public init(_ id: UUID) { self.id = id }

    /// What stands on a disk: the same 64 bytes eight times, so that a damaged bit is not taken for a lost mark.
    ///
    /// - Parameter disk: the first ``reach`` bytes that the disk has now; nothing comes of what is no ext4, of one with a
    ///   label of something else in the mark's place, and of one whose journal is still to be replayed: with blocks of 4 KiB
    ///   that may put the whole of the first block back.
    public func bytes(on disk: [UInt8]) -> [UInt8]? {
        guard let time = VolumeMark.formatTime(in: disk), !VolumeMark.needsRecovery(disk),
            !ForeignSigns.takesPlaceOfMark(disk)
        else { return nil }
        let identity = withUnsafeBytes(of: id.uuid) { Array($0) }
        let signs = ForeignSigns(in: disk).rawValue
        let copy = VolumeMark.word + [VolumeMark.version] + identity + time + [signs]
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
        /// No mark, or one of a file system that is there no more or whose disk something else has taken.
        case none
    }

    /// Reads the first ``reach`` bytes of a disk; what most copies say counts, and at least three of the eight have to
    /// agree.
    public static func finding(in bytes: [UInt8]) -> Finding {
        guard let time = formatTime(in: bytes) else { return .none }
        let copies = stride(from: offset, to: offset + length, by: copyLength).map {
            Array(bytes[$0..<$0 + copyLength])
        }
        let votes = Dictionary(grouping: copies, by: { $0 }).filter { $0.value.count >= 3 }
        guard let copy = votes.max(by: { $0.value.count < $1.value.count })?.key, copy.starts(with: word) else {
            return .none
        }
        let found = copy[word.count]
        guard found == version else { return .newer(found) }
        let (begin, end) = (word.count + 1, word.count + 17)
        guard Array(copy[end..<end + time.count]) == time else { return .none }
        // In a mark of older versions there are none.
        let known = ForeignSigns(rawValue: copy[end + time.count])
        guard ForeignSigns(in: bytes).isSubset(of: known) else { return .none }
        return .mark(VolumeMark(copy[begin..<end].withUnsafeBytes { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) }))
    }

    // s_feature_incompat, bit 2. https://docs.kernel.org/filesystems/ext4/globals.html
    private static func needsRecovery(_ bytes: [UInt8]) -> Bool { bytes[1024 + 0x60] & 0x4 != 0 }

    // The superblock begins 1024 bytes into the disk.
    private static func formatTime(in bytes: [UInt8]) -> [UInt8]? {
        guard bytes.count == reach, bytes[1024 + 0x38] == 0x53, bytes[1024 + 0x39] == 0xef else { return nil }
        return Array(bytes[1024 + 0x108..<1024 + 0x10c])
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
