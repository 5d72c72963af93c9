/// A qcow2 file of one gibibyte that holds nothing, byte by byte, for tests to spoil.
public struct CraftedDisk {
    /// The file.
    public var bytes: [UInt8]

    /// An empty one.
    public init(version: UInt32 = 3) {
        bytes = [UInt8](repeating: 0, count: 4 << 16)
        put(0x5146_49fb, at: 0)
        put(version, at: 4)
        put(16, at: 20)
        putLong(1 << 30, at: 24)
        put(2, at: 36)
        // The first table, the reference count table and its one block follow the header, a cluster each.
        putLong(3 << 16, at: 40)
        putLong(1 << 16, at: 48)
        put(1, at: 56)
        putLong(2 << 16, at: 1 << 16)
        for cluster in 0..<4 { bytes[(2 << 16) + cluster * 2 + 1] = 1 }
        guard version == 3 else { return }
        put(4, at: 96)
        put(104, at: 100)
    }

    /// A disk that begins with some bytes, in whole clusters behind its tables.
    public init(holding content: [UInt8]) {
        self.init()
        let clusters = (content.count + 0xffff) >> 16
        putLong(1 << 63 | 4 << 16, at: 3 << 16)
        bytes += [UInt8](repeating: 0, count: 1 << 16)
        for cluster in 0..<clusters { putLong(1 << 63 | UInt64(5 + cluster) << 16, at: (4 << 16) + cluster * 8) }
        for cluster in 4..<5 + clusters { bytes[(2 << 16) + cluster * 2 + 1] = 1 }
        bytes += content + [UInt8](repeating: 0, count: (clusters << 16) - content.count)
    }

    /// A disk that a BIOS starts.
    public static var bootable: CraftedDisk { CraftedDisk(holding: CraftedTable(bootCode: true).bytes) }

    /// Writes a word.
    public mutating func put(_ value: UInt32, at offset: Int) {
        for index in 0..<4 { bytes[offset + index] = UInt8(truncatingIfNeeded: value >> (24 - 8 * UInt32(index))) }
    }

    /// Writes two words.
    public mutating func putLong(_ value: UInt64, at offset: Int) {
        put(UInt32(value >> 32), at: offset)
        put(UInt32(truncatingIfNeeded: value), at: offset + 4)
    }

    /// Writes text.
    public mutating func put(_ text: String, at offset: Int) {
        for (index, byte) in text.utf8.enumerated() { bytes[offset + index] = byte }
    }
}
