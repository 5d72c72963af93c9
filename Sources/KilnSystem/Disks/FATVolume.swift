/// A FAT file system, in which only the names in folders are looked up.
///
/// It comes from outside: every place is computed from checked numbers, and a chain of clusters is followed for a while only,
/// so one that bites its tail has an end.
public struct FATVolume {
    private let content: any DiskContent
    private let sector: UInt64
    private let cluster: UInt64
    /// Where the first table lies, in bytes.
    private let table: UInt64
    private let root: Root
    /// Where cluster 2 lies, in bytes.
    private let clusters: UInt64
    private let count: UInt64

    /// The width of a table's entries decides how folders are found.
    private enum Root {
        /// FAT12 and FAT16: in a place of its own.
        case fixed(start: UInt64, length: Int, isNarrow: Bool)
        /// FAT32: a chain as any other folder.
        case chain(UInt64)
    }

    /// A folder with a boot loader in it has a dozen entries of 32 bytes.
    private static let longestFolder = 1 << 18

    /// Reads the boot sector; nothing where it is none of a FAT file system.
    ///
    /// - Throws: what the content throws.
    public init?(_ content: any DiskContent) throws {
        let boot = LittleEndianBytes(try content.bytes(at: 0, count: 512))
        guard boot.half(at: 510) == 0xaa55, let sector = boot.half(at: 11), let share = boot.byte(at: 13),
            let reserved = boot.half(at: 14), let tables = boot.byte(at: 16), let entries = boot.half(at: 17),
            let small = boot.half(at: 19), let narrow = boot.half(at: 22), let large = boot.word(at: 32),
            let wide = boot.word(at: 36), let first = boot.word(at: 44), [512, 1024, 2048, 4096].contains(sector),
            share > 0, share & (share - 1) == 0, reserved > 0, (1...4).contains(tables)
        else { return nil }
        self.content = content
        self.sector = UInt64(sector)
        cluster = self.sector * UInt64(share)
        // 32 bits each, so nothing here comes near to an overflow.
        let length = UInt64(narrow == 0 ? wide : UInt32(narrow)) * self.sector
        let total = UInt64(small == 0 ? large : UInt32(small)) * self.sector
        table = UInt64(reserved) * self.sector
        let start = table + UInt64(tables) * length
        let rootLength = (UInt64(entries) * 32 + self.sector - 1) / self.sector * self.sector
        clusters = start + rootLength
        guard length > 0, clusters < total else { return nil }
        count = (total - clusters) / cluster
        root =
            narrow == 0
            ? .chain(UInt64(first))
            : .fixed(start: start, length: Int(entries) * 32, isNarrow: count < 4085)
    }

    /// The short names in a folder, such as `BOOTX64.EFI`; nothing where there is no such folder.
    ///
    /// - Parameter path: the short names of the folders that lead to it.
    /// - Throws: what the content throws.
    public func names(in path: [String]) throws -> [String]? {
        var entries = try rootEntries()
        for name in path {
            guard let folder = entries.first(where: { $0.isFolder && $0.name == name }) else { return nil }
            entries = try chain(from: folder.cluster)
        }
        return entries.map(\.name)
    }

    private struct Entry {
        let name: String
        let isFolder: Bool
        let cluster: UInt64
    }

    private func rootEntries() throws -> [Entry] {
        switch root {
        case .fixed(let start, let length, _):
            let bytes = try content.bytes(at: start, count: min(length, FATVolume.longestFolder))
            return FATVolume.entries(bytes).entries
        case .chain(let first): return try chain(from: first)
        }
    }

    private func chain(from first: UInt64) throws -> [Entry] {
        var found: [Entry] = []
        var number = first
        var read = 0
        while (2..<count + 2).contains(number), read < FATVolume.longestFolder {
            let bytes = try content.bytes(at: clusters + (number - 2) * cluster, count: Int(cluster))
            let (entries, isLast) = FATVolume.entries(bytes)
            found += entries
            if isLast { break }
            read += Int(cluster)
            number = try next(after: number)
        }
        return found
    }

    /// The entry of the table for a cluster; what ends a chain is no cluster's number.
    private func next(after number: UInt64) throws -> UInt64 {
        switch root {
        case .chain:
            let entry = LittleEndianBytes(try content.bytes(at: table + number * 4, count: 4)).word(at: 0)
            return UInt64(entry ?? 0) & 0x0fff_ffff
        case .fixed(_, _, isNarrow: false):
            return UInt64(LittleEndianBytes(try content.bytes(at: table + number * 2, count: 2)).half(at: 0) ?? 0)
        case .fixed(_, _, isNarrow: true):
            let place = table + number + number / 2
            let pair = LittleEndianBytes(try content.bytes(at: place, count: 2)).half(at: 0) ?? 0
            return UInt64(number.isMultiple(of: 2) ? pair & 0xfff : pair >> 4)
        }
    }

    /// The entries in a piece of a folder, and whether the folder ends in it.
    private static func entries(_ piece: [UInt8]) -> (entries: [Entry], isLast: Bool) {
        let bytes = LittleEndianBytes(piece)
        var found: [Entry] = []
        for offset in stride(from: 0, through: piece.count - 32, by: 32) {
            guard let first = bytes.byte(at: offset), first != 0 else { return (found, true) }
            // Deleted; a part of a long name, or the name of the volume.
            guard first != 0xe5, let kind = bytes.byte(at: offset + 11), kind & 0x08 == 0 else { continue }
            let name = shortName(piece[offset..<offset + 11])
            let (high, low) = (bytes.half(at: offset + 20) ?? 0, bytes.half(at: offset + 26) ?? 0)
            found.append(
                Entry(name: name, isFolder: kind & 0x10 != 0, cluster: UInt64(high) << 16 | UInt64(low))
            )
        }
        return (found, false)
    }

    /// Eight bytes and three, filled up with spaces.
    private static func shortName(_ bytes: ArraySlice<UInt8>) -> String {
        let parts = [bytes.prefix(8), bytes.suffix(3)].map { part in
            String(decoding: part.prefix { $0 != 0x20 }, as: UTF8.self)
        }
        return parts[1].isEmpty ? parts[0] : parts.joined(separator: ".")
    }
}
