/// The partitions of a disk, and what its first sector has for a BIOS to start.
///
/// Read from the first bytes of a disk that others made: every number is checked before it is used, and what lies outside of
/// the disk is no partition. Checksums of a GPT are not compared: this finds out what is meant, and the firmware judges.
/// https://uefi.org/specs/UEFI/2.10/05_GUID_Partition_Table_Format.html
public struct PartitionTable: Sendable, Hashable {
    /// The form of a table.
    public enum Scheme: String, Sendable, Hashable {
        /// There is none.
        case none
        /// Four entries in sector 0.
        case mbr = "MBR"
        /// A list of its own, behind an MBR that protects it.
        case gpt = "GPT"
    }

    /// The form.
    public let scheme: Scheme
    /// The partitions, in the order of the table.
    public let partitions: [Partition]
    /// Whether sector 0 has the mark of a boot sector, and code in it that a BIOS would run.
    public let hasBootCode: Bool
    /// Whether a GPT says that the disk is longer than it is.
    public let isCutOff: Bool

    /// How many bytes of a disk are looked at: the lists that tools make lie in its first 17 KiB.
    public static let span = 1 << 20
    static let sector: UInt64 = 512

    /// Reads the table of a disk.
    ///
    /// - Parameters:
    ///   - start: the first ``span`` bytes of the disk, or all of a shorter one.
    ///   - size: how many bytes the disk has.
    public init(start: [UInt8], size: UInt64) {
        let bytes = LittleEndianBytes(start)
        let sectors = size / PartitionTable.sector
        guard bytes.half(at: 510) == 0xaa55 else {
            (scheme, partitions, hasBootCode, isCutOff) = (.none, [], false, false)
            return
        }
        hasBootCode = start.prefix(440).contains { $0 != 0 }
        let records = PartitionTable.records(bytes)
        if records.contains(where: { $0.type == 0xee }), let header = GPTHeader(bytes) {
            scheme = .gpt
            partitions = header.partitions(bytes, sectors: sectors)
            isCutOff = header.lastUsable >= sectors
            return
        }
        partitions = records.enumerated().compactMap { number, record in
            guard record.type != 0, record.type != 0xee else { return nil }
            return Partition(number + 1, .mbr(record.type), from: record.start, count: record.count, of: sectors)
        }
        scheme = partitions.isEmpty ? .none : .mbr
        isCutOff = false
    }

    private struct Record {
        let type: UInt8
        let start: UInt64
        let count: UInt64
    }

    /// The four entries of sector 0; none where these bytes are something else, such as the code of a file system's boot
    /// sector.
    private static func records(_ bytes: LittleEndianBytes) -> [Record] {
        var records: [Record] = []
        for place in [446, 462, 478, 494] {
            guard let mark = bytes.byte(at: place), mark == 0 || mark == 0x80, let type = bytes.byte(at: place + 4),
                let start = bytes.word(at: place + 8), let count = bytes.word(at: place + 12)
            else { return [] }
            records.append(Record(type: type, start: UInt64(start), count: UInt64(count)))
        }
        return records
    }
}

/// The header of a GPT, in the second sector.
private struct GPTHeader {
    let lastUsable: UInt64
    private let place: UInt64
    private let count: UInt64
    private let length: UInt64

    /// More than any tool makes; a disk may claim four billion.
    private static let most: UInt64 = 1024

    init?(_ bytes: LittleEndianBytes) {
        let header = Int(PartitionTable.sector)
        guard bytes.long(at: header) == 0x5452_4150_2049_4645, let last = bytes.long(at: header + 48),
            let place = bytes.long(at: header + 72), let count = bytes.word(at: header + 80),
            let length = bytes.word(at: header + 84)
        else { return nil }
        // The list has to lie in what is looked at; so no product of these can overflow.
        guard (2..<UInt64(PartitionTable.span) / PartitionTable.sector).contains(place), count > 0, length >= 128,
            length <= 4096, length.isMultiple(of: 8)
        else { return nil }
        lastUsable = last
        self.place = place
        self.count = min(UInt64(count), GPTHeader.most)
        self.length = UInt64(length)
    }

    func partitions(_ bytes: LittleEndianBytes, sectors: UInt64) -> [Partition] {
        (0..<Int(count)).compactMap { number in
            let entry = Int(place * PartitionTable.sector) + number * Int(length)
            guard let low = bytes.long(at: entry), let high = bytes.long(at: entry + 8),
                let first = bytes.long(at: entry + 32), let last = bytes.long(at: entry + 40)
            else { return nil }
            let kind = Partition.Kind.gpt(low, high)
            guard kind != .unused, first <= last, last < sectors else { return nil }
            return Partition(number + 1, kind, from: first, count: last - first + 1, of: sectors)
        }
    }
}
