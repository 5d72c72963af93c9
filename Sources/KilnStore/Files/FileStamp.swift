import Foundation
import KilnModel

/// What a file's inode said when its content was last verified.
///
/// While it says the same, nothing was written to the file: a write changes the times, and setting them back changes
/// the change time.
package struct FileStamp: Sendable, Hashable, Codable {
    let device: UInt64
    let inode: UInt64
    let size: Int64
    let modified: Int64
    let changed: Int64

    /// The stamp of the file at `path`, or nothing where there is no regular file.
    ///
    /// Does not follow a symbolic link.
    package init?(of path: String) {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        size = Int64(status.st_size)
        modified = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
        changed = Int64(status.st_ctim.tv_sec) * 1_000_000_000 + Int64(status.st_ctim.tv_nsec)
    }
}
