import Foundation
import Glibc
import KilnSystem

/// A file by what it is, whatever path leads to it.
struct FileIdentity: Sendable, Hashable {
    let device: UInt64
    let inode: UInt64

    /// The identity of what `path` leads to; nothing where it can't be examined.
    init?(_ path: String) {
        var found = stat()
        guard stat(path, &found) == 0 else { return nil }
        device = UInt64(found.st_dev)
        inode = UInt64(found.st_ino)
    }
}
