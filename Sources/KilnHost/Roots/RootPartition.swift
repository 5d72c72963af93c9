/// Where on a disk with partitions the root may lie, from its first sectors; whoever made the disk is not trusted.
///
/// Logical partitions of an MBR are not looked at: no image of a cloud has its root in one.
///
/// https://uefi.org/specs/UEFI/2.10/05_GUID_Partition_Table_Format.html
enum RootPartition {
    private static let sector: UInt64 = 512
    /// The bytes from a disk's start on that hold both tables: an MBR, and a GPT of the usual 128 entries.
    static let tables = 34 * sector
    /// The size of the smallest disk that can hold a superblock.
    static let smallest = 4 * sector
    /// How many are looked at.
    private static let most = 32

    /// "Linux root (x86-64)", as a GPT stores it.
    ///
    /// https://uapi-group.org/specifications/specs/discoverable_partitions_specification/
    private static let rootType: [UInt8] = [
        0xe3, 0xbc, 0x68, 0x4f, 0xcd, 0xe8, 0xb1, 0x4d, 0x96, 0xe7, 0xfb, 0xca, 0xf9, 0x84, 0xb7, 0x09,
    ]

    /// Whether that is the superblock of ext2, ext3 or ext4, of which it is the first 512 bytes.
    static func isFileSystem(_ superblock: ArraySlice<UInt8>) -> Bool {
        superblock.dropFirst(56).prefix(2).elementsEqual([0x53, 0xef])
    }

    /// The partitions that may hold the root, the most likely first: those that say so, then the largest.
    static func candidates(_ start: [UInt8], diskSize: UInt64) -> [Range<UInt64>] {
        let found = (gpt(start) ?? mbr(start)).filter { partition in
            partition.sectors.upperBound <= diskSize / sector && partition.sectors.count >= smallest / sector
        }
        let ordered = found.sorted { ($0.isRoot ? 1 : 0, $0.sectors.count) > ($1.isRoot ? 1 : 0, $1.sectors.count) }
        return ordered.prefix(most).map { $0.sectors.lowerBound * sector..<$0.sectors.upperBound * sector }
    }

    private struct Partition {
        let sectors: Range<UInt64>
        let isRoot: Bool

        /// Nothing where there is none, or none that can be.
        init?(first: UInt64, end: UInt64, isRoot: Bool) {
            guard first > 0, first < end else { return nil }
            sectors = first..<end
            self.isRoot = isRoot
        }
    }

    private static func gpt(_ start: [UInt8]) -> [Partition]? {
        guard start.count >= 1024, start[512..<520].elementsEqual("EFI PART".utf8) else { return nil }
        let (place, count, length) = (number(start, 584, 8), number(start, 592, 4), number(start, 596, 4))
        guard length >= 128, length <= 4096, place >= 2, place < tables / sector else { return [] }
        return (0..<min(count, 128)).compactMap { index in
            let entry = Int(place * sector + index * length)
            guard entry + 128 <= start.count, number(start, entry + 40, 8) < UInt64(Int64.max) else { return nil }
            return Partition(
                first: number(start, entry + 32, 8),
                end: number(start, entry + 40, 8) + 1,
                isRoot: start[entry..<entry + 16].elementsEqual(rootType)
            )
        }
    }

    private static func mbr(_ start: [UInt8]) -> [Partition] {
        guard start.count >= 512, start[510..<512].elementsEqual([0x55, 0xaa]) else { return [] }
        return (0..<4).compactMap { index in
            let entry = 446 + 16 * index
            let first = number(start, entry + 8, 4)
            return Partition(first: first, end: first + number(start, entry + 12, 4), isRoot: false)
        }
    }

    private static func number(_ bytes: [UInt8], _ place: Int, _ length: Int) -> UInt64 {
        bytes[place..<place + length].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
