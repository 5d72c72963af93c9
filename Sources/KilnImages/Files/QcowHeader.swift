import Foundation
import KilnModel
import KilnSystem

/// The header of a qcow2 file, read by Kiln itself before QEMU or qemu-img sees the file.
///
/// A qcow2 header can name other files, which QEMU then opens. So nothing that came from outside is handed to QEMU unless
/// this parser has found that it stands alone. The format: docs/interop/qcow2.txt of QEMU.
public struct QcowHeader: Sendable, Hashable {
    /// 2 or 3.
    public let version: UInt32
    /// The size of the disk as a guest sees it.
    public let virtualSize: ByteCount
    /// Clusters are two to this power, in bytes.
    public let clusterBits: UInt32

    /// The largest disk that is accepted.
    public static let largest = ByteCount(bytes: 16 << 40)

    /// Why a file can't be a sealed image.
    public enum Refusal: String, Sendable, Hashable, CaseIterable {
        /// The file ends within its header.
        case tooShort = "too-short"
        /// The file is no qcow2 file.
        case otherFormat = "other-format"
        /// A version other than 2 and 3.
        case version
        /// It needs another file below it.
        case backingFile = "backing-file"
        /// Its content lies in another file.
        case dataFile = "data-file"
        /// It is encrypted.
        case encrypted
        /// It holds snapshots of a machine.
        case snapshots
        /// It was not closed properly or is marked corrupt.
        case unclean
        /// It uses a feature that this parser does not know.
        case unknownFeature = "unknown-feature"
        /// Its sizes or offsets can't be right.
        case geometry
        /// Its disk is larger than Kiln accepts.
        case tooLarge = "too-large"
    }

    /// Reads and judges the header of the file at `path`.
    ///
    /// - Throws: `KilnError` with code `image.refused.REASON` (a ``Refusal``), `file.unreadable` or `file.not-regular`.
    public init(ofFile path: String) throws {
        let file = try OpenFile(reading: path)
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = try bytes.withUnsafeMutableBytes { try file.read(into: $0, at: 0) }
        do {
            try self.init(Array(bytes[..<count]), fileSize: UInt64(try file.size))
        } catch let refusal as RefusedHeader {
            throw KilnError(
                "image.refused.\(refusal.reason.rawValue)",
                "\(path) can't be an image: \(refusal.detail)",
                hint: "convert it: qemu-img convert -O qcow2 SOURCE COPY, then add the copy",
                exit: .invalidFile
            )
        }
    }

    /// Reads and judges a header from the first bytes of a file, of which 64 KiB are looked at.
    init(_ bytes: [UInt8], fileSize: UInt64) throws(RefusedHeader) {
        let fields = HeaderFields(bytes: bytes)
        guard bytes.count >= 4 else { throw RefusedHeader(.tooShort, "it is shorter than any header") }
        guard fields.word(at: 0) == 0x5146_49fb else {
            throw RefusedHeader(.otherFormat, "it is not in the qcow2 format")
        }
        guard bytes.count >= 72 else { throw RefusedHeader(.tooShort, "it ends within its header") }
        version = fields.word(at: 4)
        guard version == 2 || version == 3 else {
            throw RefusedHeader(.version, "it has version \(version) of the format; expected 2 or 3")
        }
        virtualSize = ByteCount(bytes: fields.long(at: 24))
        clusterBits = fields.word(at: 20)
        try QcowHeader.checkLinks(fields)
        try checkGeometry(fields, fileSize: fileSize)
        if version == 3 { try QcowHeader.checkFeatures(fields) }
        try QcowHeader.checkExtensions(fields, version: version)
    }

    private static func checkLinks(_ fields: HeaderFields) throws(RefusedHeader) {
        guard fields.long(at: 8) == 0, fields.word(at: 16) == 0 else {
            throw RefusedHeader(.backingFile, "it needs a backing file")
        }
        guard fields.word(at: 32) == 0 else { throw RefusedHeader(.encrypted, "it is encrypted") }
        guard fields.word(at: 60) == 0, fields.long(at: 64) == 0 else {
            throw RefusedHeader(.snapshots, "it holds snapshots")
        }
    }

    private func checkGeometry(_ fields: HeaderFields, fileSize: UInt64) throws(RefusedHeader) {
        guard (9...21).contains(clusterBits) else { throw RefusedHeader(.geometry, "its cluster size is impossible") }
        guard virtualSize.bytes > 0, virtualSize.bytes.isMultiple(of: 512) else {
            throw RefusedHeader(.geometry, "its disk size is not a positive number of sectors")
        }
        guard virtualSize <= QcowHeader.largest else {
            throw RefusedHeader(.tooLarge, "its disk is larger than \(QcowHeader.largest)")
        }
        let cluster = UInt64(1) << UInt64(clusterBits)
        // One entry of the first table covers a second table, of one cluster, of 8-byte entries.
        let covered = cluster * (cluster / 8)
        let needed = (virtualSize.bytes + covered - 1) / covered
        let table = UInt64(fields.word(at: 36))
        // QEMU's own limit for this table is 32 MiB.
        guard table >= needed, table <= (32 << 20) / 8 else {
            throw RefusedHeader(.geometry, "its first table does not fit its disk size")
        }
        for (offset, length) in [
            (fields.long(at: 40), table * 8), (fields.long(at: 48), UInt64(fields.word(at: 56)) * cluster),
        ] {
            guard offset.isMultiple(of: cluster), offset >= cluster, length > 0, offset < fileSize,
                length <= fileSize - offset
            else { throw RefusedHeader(.geometry, "a table lies outside the file") }
        }
    }

    private static func checkFeatures(_ fields: HeaderFields) throws(RefusedHeader) {
        guard fields.bytes.count >= 104, fields.word(at: 100) >= 104 else {
            throw RefusedHeader(.tooShort, "it ends within its header")
        }
        let incompatible = fields.long(at: 72)
        guard incompatible & 0b100 == 0 else { throw RefusedHeader(.dataFile, "its content lies in another file") }
        guard incompatible & 0b11 == 0 else {
            throw RefusedHeader(.unclean, "it is marked dirty or corrupt; qemu-img check -r all may repair a copy")
        }
        // Compression type and extended tables are the ones known beyond these.
        guard incompatible & ~0b1_1000 == 0 else { throw RefusedHeader(.unknownFeature, "it uses an unknown feature") }
        guard fields.word(at: 96) <= 6 else { throw RefusedHeader(.geometry, "its reference counts are too wide") }
    }

    private static func checkExtensions(_ fields: HeaderFields, version: UInt32) throws(RefusedHeader) {
        var offset = version == 3 ? Int(fields.word(at: 100)) : 72
        while true {
            guard offset + 8 <= fields.bytes.count else {
                throw RefusedHeader(.geometry, "its header extensions have no end")
            }
            let length = Int(fields.word(at: offset + 4))
            switch fields.word(at: offset) {
            case 0: return
            case 0xe279_2aca: throw RefusedHeader(.backingFile, "it names the format of a backing file")
            case 0x4441_5441: throw RefusedHeader(.dataFile, "it names a data file")
            case 0x0537_be77: throw RefusedHeader(.encrypted, "it is encrypted")
            default: break
            }
            offset += 8 + (length + 7) / 8 * 8
        }
    }
}

/// Why a header was refused.
struct RefusedHeader: Error, Equatable {
    let reason: QcowHeader.Refusal
    let detail: String

    init(_ reason: QcowHeader.Refusal, _ detail: String) {
        self.reason = reason
        self.detail = detail
    }
}

/// Big-endian numbers in bytes; what lies beyond the end reads as all ones, which no check accepts.
private struct HeaderFields {
    let bytes: [UInt8]

    func word(at offset: Int) -> UInt32 {
        guard offset >= 0, offset + 4 <= bytes.count else { return .max }
        return bytes[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }

    func long(at offset: Int) -> UInt64 { UInt64(word(at: offset)) << 32 | UInt64(word(at: offset + 4)) }
}
