import Foundation
import Glibc
import KilnEngine
import KilnModel
import KilnSystem

/// Finds the holders of files in /proc, by device and inode, so that hard links and symbolic links hide nobody.
///
/// A plain user sees only the processes of the same user. That is enough, because machines of a plain user run as
/// that user.
public struct ProcHolderInspection: HolderInspection {
    /// An inspection of this host.
    public init() {}

    /// The processes that have the file open, this one left out; none where there is no file.
    ///
    /// - Throws: `KilnError` with code `holders.unreadable` where the file can't be examined.
    public func holders(of path: String) throws -> [FileHolder] {
        guard let file = FileIdentity(path) else {
            if errno == ENOENT { return [] }
            throw unreadable(path, errno)
        }
        return HostProcesses.all().sorted().compactMap { pid in
            guard pid != getpid(), HostProcesses.descriptors(of: pid).contains(where: { FileIdentity($0) == file })
            else { return nil }
            return FileHolder(pid: pid, name: HostProcesses.name(of: pid) ?? "?")
        }
    }

    /// Whether the lock of a QEMU that shares the file with nobody could be taken right now; it is given back at once.
    ///
    /// QEMU keeps its locks on the bytes from 100 (permissions used) and from 200 (permissions not shared), as open file
    /// description locks: RAW_LOCK_PERM_BASE and RAW_LOCK_SHARED_BASE in QEMU's block/file-posix.c. A write lock over
    /// both ranges conflicts with each of them.
    ///
    /// - Throws: `KilnError` with code `holders.unreadable` where the file can't be opened for writing.
    public func isLockObtainable(_ path: String) throws -> Bool {
        let file = open(path, O_RDWR | O_CLOEXEC)
        guard file >= 0 else { throw unreadable(path, errno) }
        // Closing the only descriptor of the description gives the lock back.
        defer { close(file) }
        var lock = flock()
        lock.l_type = Int16(F_WRLCK)
        lock.l_whence = Int16(SEEK_SET)
        lock.l_start = 100
        lock.l_len = 200
        if fcntl(file, ProcHolderInspection.setLockOfDescription, &lock) == 0 { return true }
        guard errno == EAGAIN || errno == EACCES else { throw unreadable(path, errno) }
        return false
    }

    /// F_OFD_SETLK of fcntl(2), which Glibc's module hides behind _GNU_SOURCE.
    private static let setLockOfDescription: Int32 = 37

    private func unreadable(_ path: String, _ code: Int32) -> KilnError {
        KilnError(
            .holdersUnreadable,
            "it can't be found out who holds \(path)",
            hint: "check the owner and mode of \(path)",
            cause: String(cString: strerror(code))
        )
    }
}
