import KilnSystem

/// Where on a disk with partitions the root may lie, from its first sectors; whoever made the disk is not trusted.
enum RootPartition {
    /// The bytes from a disk's start on that hold both tables: an MBR, and a GPT of the usual 128 entries.
    static let tables: UInt64 = 34 * 512
    /// The size of the smallest disk that can hold a superblock.
    static let smallest: UInt64 = 4 * 512
    /// How many are looked at.
    private static let most = 32

    /// Whether that is the superblock of ext2, ext3 or ext4, of which it is the first 512 bytes.
    static func isFileSystem(_ superblock: ArraySlice<UInt8>) -> Bool {
        superblock.dropFirst(56).prefix(2).elementsEqual([0x53, 0xef])
    }

    /// The partitions that may hold the root, the most likely first: those that say so, then the largest.
    static func candidates(_ start: [UInt8], diskSize: UInt64) -> [Range<UInt64>] {
        PartitionTable(start: start, size: diskSize).partitions
            .filter { $0.length >= smallest }
            .sorted { ($0.isRoot ? 1 : 0, $0.length) > ($1.isRoot ? 1 : 0, $1.length) }
            .prefix(most)
            .map { $0.start..<$0.start + $0.length }
    }
}
