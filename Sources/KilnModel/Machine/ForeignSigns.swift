/// What at the start of a disk belongs to something else than the ext4 file system that stands there.
///
/// Some formats leave a mark and the superblock of ext4 alone: an MBR takes the first 512 bytes, a member of a RAID array
/// has its superblock at 4096. Then only their own signs tell that the file system is nobody's any more.
///
/// The first 512 bytes belong to boot loaders, and some write the mark of a boot sector there, too; so a partition table
/// counts only where all of its four entries are what tools write.
struct ForeignSigns: OptionSet, Sendable, Hashable {
    let rawValue: UInt8

    /// A partition table: an MBR, or the header of a GPT.
    static let partitions = ForeignSigns(rawValue: 1)
    /// A member of a RAID array of Linux, with metadata 1.1 or 1.2; that of the others is at the end of the disk.
    static let array = ForeignSigns(rawValue: 2)
    /// A physical volume of LVM.
    static let physicalVolume = ForeignSigns(rawValue: 4)
    /// An encrypted disk, or one with checksums of its own.
    static let mapped = ForeignSigns(rawValue: 8)
    /// Another file system, or a cache of one.
    static let fileSystem = ForeignSigns(rawValue: 16)

    init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Reads them in the first ``VolumeMark/reach`` bytes of a disk; there are none in fewer bytes.
    init(in disk: [UInt8]) {
        guard disk.count == VolumeMark.reach else {
            self = []
            return
        }
        var found: ForeignSigns = []
        for (place, magic, sign) in ForeignSigns.magics where disk[place...].starts(with: magic) { found.insert(sign) }
        if ForeignSigns.hasPartitions(disk) { found.insert(.partitions) }
        // https://raid.wiki.kernel.org/index.php/RAID_superblock_formats: magic, major version 1.
        let member: [UInt8] = [0xfc, 0x4e, 0x2b, 0xa9, 1, 0, 0, 0]
        if [0, 4096].contains(where: { disk[$0...].starts(with: member) }) { found.insert(.array) }
        self = found
    }

    /// Whether they lie where a mark would, which it must not destroy.
    static func takesPlaceOfMark(_ disk: [UInt8]) -> Bool {
        magics.contains { place, magic, _ in
            (VolumeMark.offset..<VolumeMark.offset + VolumeMark.length).contains(place)
                && disk.dropFirst(place).starts(with: magic)
        }
    }

    // LVM's label is in one of the first four sectors; bcache and bcachefs begin alike and have a magic of 16 bytes at 4120.
    private static let magics: [(place: Int, bytes: [UInt8], sign: ForeignSigns)] =
        [0, 512, 1024, 1536].map { ($0, Array("LABELONE".utf8), .physicalVolume) } + [
            (512, Array("EFI PART".utf8), .partitions),
            (0, Array("LUKS".utf8) + [0xba, 0xbe], .mapped),
            (0, Array("integrt".utf8) + [0], .mapped),
            (0, Array("dmvdo001".utf8), .mapped),
            (0, Array("XFSB".utf8), .fileSystem),
            (4120, [0xc6, 0x85, 0x73, 0xf6, 0x4e, 0x1a, 0x45, 0xca], .fileSystem),
            (4120, [0xc6, 0x85, 0x73, 0xf6, 0x66, 0xce, 0x90, 0xa9], .fileSystem),
        ]

    /// Whether sector 0 ends as that of a disk with an MBR does.
    ///
    /// One entry says where a partition is, and the others do so or are empty. The code of a boot loader, such as extlinux's, is none of that.
    private static func hasPartitions(_ disk: [UInt8]) -> Bool {
        guard disk[510] == 0x55, disk[511] == 0xaa else { return false }
        let entries = stride(from: 446, to: 510, by: 16).map { Array(disk[$0..<$0 + 16]) }
        let used = entries.filter { entry in entry.contains { $0 != 0 } }
        return !used.isEmpty
            && used.allSatisfy { entry in
                let isPlaced = entry[8..<12].contains { $0 != 0 } && entry[12..<16].contains { $0 != 0 }
                return (entry[0] == 0 || entry[0] == 0x80) && entry[4] != 0 && isPlaced
            }
    }
}
