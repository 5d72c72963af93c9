import Foundation
import KilnModel
import KilnSystem

/// What is needed of the superblock of ext4: https://docs.kernel.org/filesystems/ext4/globals.html.
struct Superblock: Sendable, Hashable {
    private let bytes: [UInt8]

    /// Reads it from a raw disk; nothing where there is none.
    init?(of path: String) throws {
        let start = try HeaderBytes(path).bytes
        guard start.count >= 2048, start[1080] == 0x53, start[1081] == 0xef else { return nil }
        bytes = Array(start[1024..<2048])
    }

    /// Whether the journal holds changes that are not yet in their places.
    var needsRecovery: Bool { incompatible & 0x4 != 0 }
    /// Whether files are kept as extents, as ext4 does and its predecessors didn't.
    var hasExtents: Bool { incompatible & 0x40 != 0 }
    /// Whether it was mounted, and has a file of inodes that were deleted while they were open.
    var mayHoldOrphans: Bool { number(at: 100) & 0x1_0000 != 0 }
    /// Whether nobody saw a reason for a full check.
    var isMarkedSound: Bool { number(at: 58) & 0b11 == 0b01 }

    /// What it is called; of at most 16 bytes.
    var label: String { String(decoding: bytes[120..<136].prefix { $0 != 0 }, as: UTF8.self) }
    /// What it is known by to who mounts it; its copies have the same.
    var identity: UUID { bytes[104..<120].withUnsafeBytes { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) } }

    /// The largest size that resize2fs can give it.
    ///
    /// Impossible numbers are for e2fsck to find: then there is no limit but that of every disk.
    var limit: FileSystemLimit {
        let every = FileSystemLimit(size: QCOW2Header.largest, reason: "no disk of Kiln's is larger")
        guard number(at: 24) <= 6 else { return every }
        let block = UInt64(1024) << UInt64(number(at: 24))
        let (first, perGroup) = (UInt64(number(at: 20)), UInt64(number(at: 32)))
        let descriptors = block / UInt64(is64Bit ? max(32, number(at: 254) & 0xffff) : 32)
        guard perGroup > first, perGroup <= block * 8, first <= 1 else { return every }
        // The descriptors of all groups have to fit into the first one.
        let described = (perGroup - first) * descriptors * perGroup + first
        let numbered = UInt64(UInt32.max) / UInt64(max(1, number(at: 40))) * perGroup + first
        let blocks = "with blocks of \(ByteCount(bytes: block))"
        return [
            every,
            FileSystemLimit(size: size(described, block), reason: "\(blocks) it can't describe more block groups"),
            FileSystemLimit(size: size(numbered, block), reason: "it can't number more inodes"),
            FileSystemLimit(
                size: size(is64Bit ? .max : 1 << 32, block),
                reason: "\(blocks) and without the feature 64bit it can't number more of them"
            ),
        ].min { $0.size < $1.size } ?? every
    }

    private var is64Bit: Bool { incompatible & 0x80 != 0 }
    private var incompatible: UInt32 { number(at: 96) }

    private func size(_ blocks: UInt64, _ block: UInt64) -> ByteCount {
        let (bytes, isTooLarge) = blocks.multipliedReportingOverflow(by: block)
        // A volume has whole blocks of 4 KiB, whatever those of its file system are.
        return ByteCount(bytes: isTooLarge ? .max : bytes / 4096 * 4096)
    }

    private func number(at offset: Int) -> UInt32 {
        bytes[offset..<offset + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }
}
