import KilnModel

/// The header of a qcow2 file, read by Kiln itself before QEMU or one of its tools sees the file.
///
/// A header can name other files, which QEMU would open, the data file even for writing. So every file that is handed on is
/// judged first. https://gitlab.com/qemu-project/qemu/-/blob/master/docs/interop/qcow2.txt
public struct QCOW2Header: Sendable, Hashable {
    /// 2 or 3.
    public let version: UInt32
    /// The size of the disk that the file holds, as a guest sees it.
    public let virtualSize: ByteCount
    /// The file below, as the header names it; nothing where it stands alone.
    public let backing: String?
    /// How many bytes one entry of its tables covers.
    let clusterSize: UInt64
    /// Whether the entries of its second tables have 16 bytes instead of 8.
    let hasExtendedEntries: Bool

    /// The largest disk that is accepted.
    public static let largest = ByteCount(bytes: 16 << 40)

    /// What may lie below a file.
    public enum Standing: Sendable, Hashable {
        /// Nothing: a disk that came from outside, and an image.
        case alone
        /// Nothing, or a qcow2 file that whoever asks compares with the one that belongs there.
        case onLayer
    }

    /// Reads and judges the header of one of Kiln's own layers; a symbolic link is none.
    ///
    /// - Throws: `KilnError` with code `disk.refused`, saying why.
    public init(of path: String) throws {
        let file = try HeaderBytes(path)
        do {
            try self.init(file, standing: .onLayer)
        } catch {
            throw file.refused(error.detail)
        }
    }

    /// Judges a header.
    public init(_ file: HeaderBytes, standing: Standing) throws(RefusedHeader) {
        guard file.bytes.count >= 4 else { throw RefusedHeader(.tooShort, "it is shorter than any header") }
        guard file.word(at: 0) == 0x5146_49fb else {
            throw RefusedHeader(.otherFormat, "it is not in the qcow2 format")
        }
        guard file.bytes.count >= 72 else { throw RefusedHeader(.tooShort, "it ends within its header") }
        version = file.word(at: 4)
        guard version == 2 || version == 3 else {
            throw RefusedHeader(.version, "it has version \(version) of the format; expected 2 or 3")
        }
        guard file.word(at: 32) == 0 else { throw RefusedHeader(.encrypted, "it is encrypted") }
        guard file.word(at: 60) == 0, file.long(at: 64) == 0 else {
            throw RefusedHeader(.snapshots, "it holds snapshots of its own")
        }
        virtualSize = ByteCount(bytes: file.long(at: 24))
        backing = try QCOW2Header.backing(in: file, standing)
        try QCOW2Header.checkGeometry(file, virtualSize)
        clusterSize = 1 << UInt64(file.word(at: 20))
        hasExtendedEntries = version == 3 && file.long(at: 72) & 0b1_0000 != 0
        if version == 3 { try QCOW2Header.checkFeatures(file) }
        try QCOW2Header.checkExtensions(file, from: version == 3 ? Int(file.word(at: 100)) : 72, standing)
    }

    private static func backing(in file: HeaderBytes, _ standing: Standing) throws(RefusedHeader) -> String? {
        let (offset, length) = (file.long(at: 8), file.word(at: 16))
        switch standing {
        case .alone:
            guard offset == 0, length == 0 else { throw RefusedHeader(.backingFile, "it needs a backing file") }
            return nil
        case .onLayer:
            guard offset != 0 else { return nil }
            // The format's own limit for the name is 1023 bytes.
            guard offset < 1 << 16, length <= 1023, let name = file.text(at: Int(offset), Int(length)), !name.isEmpty
            else { throw RefusedHeader(.backingFile, "the name of the file below it is impossible") }
            return name
        }
    }

    private static func checkGeometry(_ file: HeaderBytes, _ size: ByteCount) throws(RefusedHeader) {
        let clusterBits = file.word(at: 20)
        guard (9...21).contains(clusterBits) else { throw RefusedHeader(.geometry, "its cluster size is impossible") }
        guard size.bytes > 0, size.bytes.isMultiple(of: 512) else {
            throw RefusedHeader(.geometry, "its disk size is not a positive number of sectors")
        }
        guard size <= largest else { throw RefusedHeader(.tooLarge, "its disk is larger than \(largest)") }
        let cluster = UInt64(1) << UInt64(clusterBits)
        // One entry of the first table covers a second table, of one cluster, of 8-byte entries.
        let covered = cluster * (cluster / 8)
        let table = UInt64(file.word(at: 36))
        // QEMU's own limit for this table is 32 MiB.
        guard table >= (size.bytes + covered - 1) / covered, table <= (32 << 20) / 8 else {
            throw RefusedHeader(.geometry, "its first table does not fit its disk size")
        }
        for (offset, length) in [
            (file.long(at: 40), table * 8), (file.long(at: 48), UInt64(file.word(at: 56)) * cluster),
        ] {
            guard offset.isMultiple(of: cluster), offset >= cluster, length > 0, offset < file.size,
                length <= file.size - offset
            else {
                throw RefusedHeader(.geometry, "a table of it lies outside the file: it is damaged or cut off")
            }
        }
    }

    private static func checkFeatures(_ file: HeaderBytes) throws(RefusedHeader) {
        guard file.bytes.count >= 104, file.word(at: 100) >= 104 else {
            throw RefusedHeader(.tooShort, "it ends within its header")
        }
        let incompatible = file.long(at: 72)
        guard incompatible & 0b100 == 0 else { throw RefusedHeader(.dataFile, "its content lies in another file") }
        guard incompatible & 0b11 == 0 else {
            throw RefusedHeader(.unclean, "it is marked dirty or corrupt; qemu-img check -r all may repair a copy")
        }
        // Compression type and extended tables are the ones known beyond these.
        guard incompatible & ~0b1_1000 == 0 else { throw RefusedHeader(.unknownFeature, "it uses an unknown feature") }
        guard file.word(at: 96) <= 6 else { throw RefusedHeader(.geometry, "its reference counts are too wide") }
    }

    private static func checkExtensions(
        _ file: HeaderBytes,
        from start: Int,
        _ standing: Standing
    ) throws(RefusedHeader) {
        var offset = start
        while true {
            guard offset + 8 <= file.bytes.count else {
                throw RefusedHeader(.geometry, "its header extensions have no end")
            }
            let length = Int(file.word(at: offset + 4))
            switch file.word(at: offset) {
            case 0: return
            case 0xe279_2aca:
                guard standing == .onLayer else {
                    throw RefusedHeader(.backingFile, "it names the format of a backing file")
                }
                guard file.text(at: offset + 8, length) == "qcow2" else {
                    throw RefusedHeader(.backingFile, "the file below it is not said to be qcow2")
                }
            case 0x4441_5441: throw RefusedHeader(.dataFile, "it names a data file")
            case 0x0537_be77: throw RefusedHeader(.encrypted, "it is encrypted")
            default: break
            }
            offset += 8 + (length + 7) / 8 * 8
        }
    }
}
