/// The first 64 KiB of a disk, byte by byte, with the partitions that a test wants.
public struct CraftedTable {
    /// The bytes.
    public var bytes = [UInt8](repeating: 0, count: 1 << 16)

    /// A boot sector without partitions, and code in it where that is said.
    public init(bootCode: Bool = false) {
        bytes.replaceSubrange(510..<512, with: [0x55, 0xaa])
        if bootCode { bytes.replaceSubrange(0..<3, with: [0xeb, 0x63, 0x90]) }
    }

    /// Makes an entry of the MBR, in sectors.
    public mutating func mbr(_ number: Int, type: UInt8, first: UInt32, count: UInt32) {
        let entry = 446 + 16 * (number - 1)
        bytes[entry + 4] = type
        put(first, at: entry + 8)
        put(count, at: entry + 12)
    }

    /// Makes it a disk with a GPT of so many entries.
    public mutating func gpt(entries: UInt32 = 128, lastUsable: UInt64) {
        mbr(1, type: 0xee, first: 1, count: .max)
        bytes.replaceSubrange(512..<520, with: Array("EFI PART".utf8))
        put(lastUsable, at: 512 + 48)
        put(UInt64(2), at: 512 + 72)
        put(entries, at: 512 + 80)
        put(UInt32(128), at: 512 + 84)
    }

    /// Makes an entry of the GPT, in sectors.
    public mutating func gpt(_ number: Int, type: GUID, first: UInt64, last: UInt64) {
        let entry = 1024 + 128 * (number - 1)
        bytes.replaceSubrange(entry..<entry + 16, with: type.bytes)
        put(first, at: entry + 32)
        put(last, at: entry + 40)
    }

    /// What a partition of a GPT is for.
    public enum GUID: Sendable, CaseIterable {
        /// An EFI system partition.
        case system
        /// Where GRUB keeps its core.
        case biosBoot
        /// A Linux root for x86-64.
        case root

        var bytes: [UInt8] {
            switch self {
            case .system: [0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11, 0xba, 0x4b, 0, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b]
            case .biosBoot: Array("Hah!IdontNeedEFI".utf8)
            case .root:
                [0xe3, 0xbc, 0x68, 0x4f, 0xcd, 0xe8, 0xb1, 0x4d, 0x96, 0xe7, 0xfb, 0xca, 0xf9, 0x84, 0xb7, 0x09]
            }
        }
    }

    /// Writes a little-endian number.
    public mutating func put<Number: FixedWidthInteger>(_ value: Number, at offset: Int) {
        for index in 0..<Number.bitWidth / 8 {
            bytes[offset + index] = UInt8(truncatingIfNeeded: value >> Number(8 * index))
        }
    }
}
