import Foundation
import Glibc

/// A table that the kernel gives as a file, such as /proc/locks.
///
/// Such a file has no size, and of one Foundation reads no more than the kernel gives at once, which is a page.
public enum KernelTable {
    /// The lines of a table; none where it can't be read.
    public static func lines(_ path: String) -> [Substring] {
        String(decoding: bytes(path), as: UTF8.self).split(separator: "\n")
    }

    /// All that a table holds; nothing where it can't be read.
    static func bytes(_ path: String) -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return [] }
        defer { close(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(file, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return bytes }
            bytes += buffer.prefix(count)
        }
    }
}
