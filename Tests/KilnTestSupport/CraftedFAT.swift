/// A FAT file system with files in EFI/BOOT, byte by byte; clusters have one sector.
public struct CraftedFAT {
    /// The width of the entries of its table.
    public enum Width: Sendable, CaseIterable {
        /// FAT12.
        case narrow
        /// FAT16.
        case middle
        /// FAT32.
        case wide
    }

    /// The file system.
    public var bytes: [UInt8]

    /// A file system with empty files of these short names, eight characters and three.
    public init(_ width: Width = .narrow, loaders: [String] = ["BOOTX64 EFI"]) {
        let sectors = width == .middle ? 4200 : 128
        bytes = [UInt8](repeating: 0, count: sectors * 512)
        let tableSectors = width == .middle ? 17 : 1
        bytes.replaceSubrange(510..<512, with: [0x55, 0xaa])
        put(512, at: 11)
        bytes[13] = 1
        put(1, at: 14)
        bytes[16] = 1
        put(UInt16(sectors), at: 19)
        if width == .wide {
            bytes[36] = UInt8(tableSectors)
            bytes[44] = 4
        } else {
            put(16, at: 17)
            put(UInt16(tableSectors), at: 22)
        }
        let root = 1 + tableSectors
        let first = root + (width == .wide ? 0 : 1)
        // FAT32 has its root in a cluster; 2 and 3 are EFI and BOOT everywhere.
        let rootSector = width == .wide ? first + 2 : root
        entry(in: rootSector, 0, "EFI        ", kind: 0x10, cluster: 2)
        entry(in: first, 0, "BOOT       ", kind: 0x10, cluster: 3)
        for (index, name) in loaders.enumerated() { entry(in: first + 1, index, name, kind: 0x20, cluster: 0) }
        for cluster in 2...4 { end(cluster, width) }
    }

    private mutating func entry(in sector: Int, _ index: Int, _ name: String, kind: UInt8, cluster: UInt16) {
        let place = sector * 512 + index * 32
        bytes.replaceSubrange(place..<place + 11, with: Array(name.utf8))
        bytes[place + 11] = kind
        put(cluster, at: place + 26)
    }

    private mutating func end(_ cluster: Int, _ width: Width) {
        switch width {
        case .narrow:
            let place = 512 + cluster + cluster / 2
            bytes[place] = cluster.isMultiple(of: 2) ? 0xff : bytes[place] | 0xf0
            bytes[place + 1] = cluster.isMultiple(of: 2) ? bytes[place + 1] | 0x0f : 0xff
        case .middle: put(0xffff, at: 512 + cluster * 2)
        case .wide: bytes.replaceSubrange(512 + cluster * 4..<516 + cluster * 4, with: [0xff, 0xff, 0xff, 0x0f])
        }
    }

    private mutating func put(_ value: UInt16, at offset: Int) {
        bytes[offset] = UInt8(value & 0xff)
        bytes[offset + 1] = UInt8(value >> 8)
    }
}
