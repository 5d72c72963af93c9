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

/// What /proc tells of processes: proc(5).
enum ProcessTable {
    /// All process ids.
    static func pids() -> [Int32] {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return entries.compactMap { Int32($0) }
    }

    /// The name of the process, made safe to print; nothing where it is gone.
    static func name(of pid: Int32) -> String? {
        FileManager.default.contents(atPath: "/proc/\(pid)/comm").map { Printable.text($0) }
    }

    /// What the descriptors of the process lead to; nothing of a process that is gone or may not be examined.
    static func descriptors(of pid: Int32) -> [String] {
        let directory = "/proc/\(pid)/fd"
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return entries.map { directory + "/" + $0 }
    }
}
