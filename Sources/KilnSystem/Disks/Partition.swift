/// A part of a disk, as its table tells; it lies within the disk.
public struct Partition: Sendable, Hashable {
    /// What a table says that a partition is for.
    public enum Kind: Sendable, Hashable {
        /// The type in an MBR.
        case mbr(UInt8)
        /// The type in a GPT: its sixteen bytes as two little-endian numbers.
        case gpt(UInt64, UInt64)

        /// In a GPT, a place for another partition.
        static let unused = Kind.gpt(0, 0)
        /// The identifier C12A7328-F81F-11D2-BA4B-00A0C93EC93B.
        static let system = Kind.gpt(0x11d2_f81f_c12a_7328, 0x3bc9_3ec9_a000_4bba)
        /// The identifier 21686148-6449-6E6F-744E-656564454649, which reads "Hah!IdontNeedEFI".
        static let biosBoot = Kind.gpt(0x6e6f_6449_2168_6148, 0x4946_4564_6565_4e74)
        /// The identifier EBD0A0A2-B9E5-4433-87C0-68B6B72699C7.
        static let basicData = Kind.gpt(0x4433_b9e5_ebd0_a0a2, 0xc799_26b7_b668_c087)
        /// The identifier 4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709, "Linux root (x86-64)".
        ///
        /// https://uapi-group.org/specifications/specs/discoverable_partitions_specification/
        static let linuxRoot = Kind.gpt(0x4db1_e8cd_4f68_bce3, 0x09b7_84f9_cafb_e796)
    }

    /// Its number, from 1 on, as the kernel counts.
    public let number: Int
    /// What it is for.
    public let kind: Kind
    /// Where it begins, in bytes.
    public let start: UInt64
    /// How long it is, in bytes; never 0.
    public let length: UInt64

    init?(_ number: Int, _ kind: Kind, from first: UInt64, count: UInt64, of sectors: UInt64) {
        guard first > 0, first < sectors, count > 0, count <= sectors - first else { return nil }
        self.number = number
        self.kind = kind
        start = first * PartitionTable.sector
        length = count * PartitionTable.sector
    }

    /// Whether it is an EFI system partition, which UEFI looks for a boot loader in.
    public var isSystem: Bool { kind == .mbr(0xef) || kind == .system }

    /// Whether it is said to hold a FAT file system for something else; UEFI looks in there, too.
    public var isFAT: Bool {
        [.mbr(0x0b), .mbr(0x0c), .mbr(0x0e), .basicData].contains(kind)
    }

    /// Whether it says that it holds the root of a Linux on this architecture.
    public var isRoot: Bool { kind == .linuxRoot }

    /// Whether it is where GRUB keeps its core on a disk with a GPT.
    public var isBIOSBoot: Bool { kind == .biosBoot }
}
