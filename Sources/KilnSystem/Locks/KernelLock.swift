import Foundation
import Glibc

/// A lock of the kernel on an open file: flock(2).
///
/// It goes with the last process that has the file open, however that ends. The file stays, and its existence means nothing.
public enum KernelLock {
    /// Who may hold it beside whom.
    public enum Kind: Sendable, Hashable {
        /// Nobody.
        case exclusive
        /// Everybody who holds it this way too.
        case shared
    }

    /// Takes the lock, or finds at once that somebody has it.
    public static func take(_ descriptor: Int32, _ kind: Kind = .exclusive) -> Bool {
        let operation = (kind == .exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB
        while flock(descriptor, operation) != 0 { guard errno == EINTR else { return false } }
        return true
    }

    /// Gives it back, also where a child that was forked but has not yet called exec still has the file open.
    public static func release(_ descriptor: Int32) { flock(descriptor, LOCK_UN) }

    /// Takes the lock as soon as it is free; false where it still isn't at `deadline`.
    ///
    /// flock(2) knows no timeout and no event, so it is tried every 10 ms. It blocks its thread.
    public static func wait(
        _ descriptor: Int32,
        _ kind: Kind = .exclusive,
        until deadline: ContinuousClock.Instant
    ) -> Bool {
        while !take(descriptor, kind) {
            guard errno == EWOULDBLOCK, ContinuousClock.now < deadline else { return false }
            poll(nil, 0, 10)
        }
        return true
    }
}

extension KernelLock {
    /// The processes that took the lock of an open file, as far as they can be seen from here: proc_locks(5).
    public static func holders(of descriptor: Int32) -> [pid_t] {
        var file = stat()
        guard fstat(descriptor, &file) == 0 else { return [] }
        // makedev(3): how the numbers of a device lie in one.
        let device = UInt64(file.st_dev)
        let numbers = [device >> 8 & 0xfff | device >> 32 & ~0xfff, device & 0xff | device >> 12 & ~0xff]
        let name = numbers.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) + ":" }.joined() + "\(file.st_ino)"
        // 1: FLOCK  ADVISORY  WRITE 4711 fe:01:393310 0 EOF; one that waits has an arrow before its kind.
        return KernelTable.lines("/proc/locks").compactMap { line in
            let fields = line.split(separator: " ")
            guard fields.count > 5, fields[1] == "FLOCK", fields[5] == name else { return nil }
            return pid_t(fields[4])
        }
    }
}

/// fcntl(2): the locks that other programs, such as libvirt, keep on their files.
public enum RecordLock {
    /// The process that has a record lock on an open file; 0 for one that can't be seen from here, nothing where none has.
    public static func holder(of descriptor: Int32) -> pid_t? {
        var lock = flock()
        lock.l_type = Int16(F_WRLCK)
        lock.l_whence = Int16(SEEK_SET)
        guard fcntl(descriptor, F_GETLK, &lock) == 0, lock.l_type != Int16(F_UNLCK) else { return nil }
        return lock.l_pid
    }
}
