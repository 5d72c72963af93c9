import Foundation
import Glibc

/// A file that takes up all the space of a file system of this host; for file systems of a world of one's own only.
package struct DiskFiller: Sendable {
    private let path: String

    /// A file that must not exist.
    package init(path: String) { self.path = path }

    /// Fills the file system.
    ///
    /// - Returns: how many bytes it took until not one more was taken.
    /// - Throws: `fault.impossible` where the file can't be made, or room is left after that; no file is left then.
    @discardableResult
    package func fill() throws -> Int {
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else {
            throw FaultGround.impossible("\(path) can't be made", cause: String(cString: strerror(errno)))
        }
        defer { close(file) }
        let piece = [UInt8](repeating: 0xa5, count: 1 << 20)
        // What a file system has set aside for data that it has not placed yet is free again once it has.
        for _ in 0..<3 {
            for size in [1 << 20, 4096, 512] { while write(file, piece, size) > 0 {} }
            fsync(file)
        }
        guard write(file, piece, 4096) < 0, errno == ENOSPC else {
            remove()
            throw FaultGround.impossible("\(path) does not fill its file system")
        }
        return Int(lseek(file, 0, SEEK_END))
    }

    /// Gives the space back.
    package func remove() { unlink(path) }
}
