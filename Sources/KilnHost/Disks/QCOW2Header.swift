import Foundation
import KilnModel

/// The first fields of a qcow2 file.
///
/// https://gitlab.com/qemu-project/qemu/-/blob/master/docs/interop/qcow2.txt
enum QCOW2Header {
    /// The size of the disk that the file holds, as a guest sees it.
    ///
    /// - Throws: `KilnError` with code `disk.not-qcow2` where the file can't be read or is something else.
    static func virtualSize(of path: String) throws -> ByteCount {
        guard let file = FileHandle(forReadingAtPath: path) else {
            throw refused(path, "it can't be opened")
        }
        defer { try? file.close() }
        guard let header = try? file.read(upToCount: 32), header.count == 32 else {
            throw refused(path, "it is shorter than a header")
        }
        guard header.starts(with: [0x51, 0x46, 0x49, 0xfb]) else { throw refused(path, "its magic number is another") }
        // Bytes 24 to 31, big endian.
        return ByteCount(bytes: header.suffix(8).reduce(0) { $0 << 8 | UInt64($1) })
    }

    private static func refused(_ path: String, _ why: String) -> KilnError {
        KilnError("disk.not-qcow2", "\(path) is not a qcow2 disk: \(why)", exit: .aborted)
    }
}
