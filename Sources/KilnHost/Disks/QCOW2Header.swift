import Foundation
import Glibc
import KilnModel

/// The header of a qcow2 file, read by Kiln itself before QEMU or one of its tools sees the file.
///
/// A header can name other files, which QEMU would open, the data file even for writing. So every file that is handed on is
/// judged first. https://gitlab.com/qemu-project/qemu/-/blob/master/docs/interop/qcow2.txt
struct QCOW2Header: Sendable, Hashable {
    /// The size of the disk that the file holds, as a guest sees it.
    let virtualSize: ByteCount
    /// The file below, as the header names it.
    let backing: String?

    /// The largest disk that is accepted.
    static let largest = ByteCount(bytes: 16 << 40)

    /// Reads and judges the header of a regular file; a symbolic link is none.
    ///
    /// - Throws: `KilnError` with code `disk.refused`, saying why.
    init(of path: String) throws {
        let file = try HeaderBytes(path)
        guard file.word(at: 0) == 0x5146_49fb else { throw file.refused("it is no qcow2 disk") }
        let version = file.word(at: 4)
        guard version == 2 || version == 3 else { throw file.refused("it has version \(version) of qcow2") }
        guard file.word(at: 32) == 0 else { throw file.refused("it is encrypted") }
        guard file.word(at: 60) == 0 else { throw file.refused("it holds snapshots of its own") }
        try QCOW2Header.checkGeometry(file)
        if version == 3 { try QCOW2Header.checkFeatures(file) }
        try QCOW2Header.checkExtensions(file, from: version == 3 ? Int(file.word(at: 100)) : 72)
        virtualSize = ByteCount(bytes: file.long(at: 24))
        backing = try QCOW2Header.backing(in: file)
    }

    private static func checkGeometry(_ file: HeaderBytes) throws {
        let (clusterBits, size) = (file.word(at: 20), file.long(at: 24))
        guard (9...21).contains(clusterBits), size > 0, size.isMultiple(of: 512), size <= largest.bytes else {
            throw file.refused("its cluster size or disk size is impossible")
        }
        let cluster = UInt64(1) << UInt64(clusterBits)
        let covered = cluster * (cluster / 8)
        let table = UInt64(file.word(at: 36))
        // QEMU's own limit for this table is 32 MiB.
        guard table >= (size + covered - 1) / covered, table <= (32 << 20) / 8 else {
            throw file.refused("its first table does not fit its disk size")
        }
        for (offset, length) in [
            (file.long(at: 40), table * 8), (file.long(at: 48), UInt64(file.word(at: 56)) * cluster),
        ] {
            guard offset.isMultiple(of: cluster), offset >= cluster, length > 0, offset < file.size,
                length <= file.size - offset
            else { throw file.refused("a table of it lies outside the file: it is damaged or cut off") }
        }
    }

    private static func checkFeatures(_ file: HeaderBytes) throws {
        guard file.word(at: 100) >= 104 else { throw file.refused("it ends within its header") }
        let incompatible = file.long(at: 72)
        guard incompatible & 0b100 == 0 else { throw file.refused("its content lies in another file") }
        guard incompatible & 0b11 == 0 else { throw file.refused("it is marked dirty or corrupt") }
        // Compression type and extended tables are the ones known beyond these.
        guard incompatible & ~0b1_1000 == 0 else { throw file.refused("it uses an unknown feature") }
    }

    private static func checkExtensions(_ file: HeaderBytes, from start: Int) throws {
        var offset = start
        while true {
            guard offset + 8 <= file.bytes.count else { throw file.refused("its header has no end") }
            switch file.word(at: offset) {
            case 0: return
            case 0xe279_2aca:
                let length = Int(file.word(at: offset + 4))
                guard file.text(at: offset + 8, length) == "qcow2" else {
                    throw file.refused("the file below it is not said to be qcow2")
                }
            case 0x4441_5441: throw file.refused("it names a data file")
            case 0x0537_be77: throw file.refused("it is encrypted")
            default: break
            }
            offset += 8 + (Int(file.word(at: offset + 4)) + 7) / 8 * 8
        }
    }

    private static func backing(in file: HeaderBytes) throws -> String? {
        let offset = file.long(at: 8)
        guard offset != 0 else { return nil }
        // The format's own limit for the name is 1023 bytes.
        guard offset < 1 << 16, file.word(at: 16) <= 1023,
            let name = file.text(at: Int(offset), Int(file.word(at: 16))), !name.isEmpty
        else { throw file.refused("the name of the file below it is impossible") }
        return name
    }
}

/// The first 64 KiB of a regular file, and big-endian numbers in them; what lies beyond the end reads as all ones, which no
/// check accepts.
struct HeaderBytes {
    let path: String
    let bytes: [UInt8]
    let size: UInt64

    /// Reads them.
    ///
    /// - Parameter followingLinks: whether the path is what a user named, and not a file of Kiln's own.
    /// - Throws: `KilnError` with code `disk.refused` where the file can't be read or is no regular one.
    init(_ path: String, followingLinks: Bool = false) throws {
        self.path = path
        // O_NONBLOCK: a FIFO without a writer would hold open() for ever.
        let flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (followingLinks ? 0 : O_NOFOLLOW)
        let file = open(path, flags)
        guard file >= 0 else {
            let why = errno == ELOOP ? "it is a symbolic link" : String(cString: strerror(errno))
            throw HeaderBytes.refused(path, why)
        }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw HeaderBytes.refused(path, "it is not a regular file")
        }
        size = UInt64(status.st_size)
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        let count = pread(file, &buffer, buffer.count, 0)
        guard count >= 0 else { throw HeaderBytes.refused(path, String(cString: strerror(errno))) }
        bytes = Array(buffer.prefix(count))
    }

    func word(at offset: Int) -> UInt32 {
        guard offset >= 0, offset + 4 <= bytes.count else { return .max }
        return bytes[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }

    func long(at offset: Int) -> UInt64 { UInt64(word(at: offset)) << 32 | UInt64(word(at: offset + 4)) }

    func text(at offset: Int, _ length: Int) -> String? {
        guard offset >= 0, length >= 0, length <= bytes.count, offset <= bytes.count - length else { return nil }
        return String(validating: bytes[offset..<offset + length], as: UTF8.self)
    }

    func refused(_ why: String) -> KilnError { HeaderBytes.refused(path, why) }

    private static func refused(_ path: String, _ why: String) -> KilnError {
        KilnError("disk.refused", "\(path) can't be used as a disk: \(why)", exit: .invalidFile)
    }
}
