import Foundation
import Glibc

/// A table that the kernel gives as a file, such as /proc/locks.
///
/// Such a file has no size, and of one Foundation reads no more than the kernel gives at once, which is a page.
public enum KernelTable {
    /// The lines of a table; none where it can't be read.
    public static func lines(_ path: String) -> [Substring] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return [] }
        defer { close(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(file, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return String(decoding: bytes, as: UTF8.self).split(separator: "\n") }
            bytes += buffer.prefix(count)
        }
    }
}
