import Foundation
import KilnModel

/// An exclusive lock of the kernel on an open file; it goes with the process, however that ends.
///
/// The file stays for ever: its existence means nothing. What stands in it only tells who holds the lock, or who was
/// killed with it.
public final class FileLock: Sendable {
    private let descriptor: Int32
    private let isHeld: Bool

    /// Takes the lock or is refused: at once, or within a tenth of a second while its holder has no name yet.
    ///
    /// - Throws: `KilnError` with code `lock.held` and exit `.blocked`, naming the process that holds it.
    public init(_ path: String, subject: String) throws {
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard descriptor >= 0 else { throw DurableFile.failure("open", path) }
        let holder = FileLock.take(descriptor)
        isHeld = holder == nil
        // From here on deinit closes it, also where this throws: a second close() would hit whoever has the number by then.
        if let holder {
            throw KilnError(
                "lock.held",
                "\(subject) is being changed by another process: \(holder)",
                hint: "wait until it has ended, or watch it with 'kiln ps'",
                exit: .blocked
            )
        }
        // Taking a lab down removes its locks; what was locked a moment after that is nothing any more.
        guard FileLock.isStillNamed(descriptor, path) else {
            throw KilnError(
                "lock.held",
                "\(subject) was just removed by another process",
                hint: "run the command again",
                exit: .blocked
            )
        }
        let name = "pid \(getpid()), \(CommandLine.arguments.prefix(4).joined(separator: " "))"
        ftruncate(descriptor, 0)
        _ = name.withCString { pwrite(descriptor, $0, strlen($0), 0) }
    }

    // The name goes first, so that nobody is blamed for what the next holder does. The unlocking is said, not left to
    // close(): a child that was forked but has not yet called exec still has the file open.
    deinit {
        if isHeld { ftruncate(descriptor, 0) }
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }

    private static func isStillNamed(_ descriptor: Int32, _ path: String) -> Bool {
        var opened = stat()
        var named = stat()
        guard fstat(descriptor, &opened) == 0, lstat(path, &named) == 0 else { return false }
        return opened.st_ino == named.st_ino && opened.st_dev == named.st_dev
    }

    // Nothing once the lock is taken, else who holds it.
    //
    // Between taking the lock and writing its name a holder is nobody, or a process that was killed. That takes it less
    // than a millisecond, and no event tells of it.
    private static func take(_ descriptor: Int32) -> String? {
        for _ in 0..<100 {
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return nil }
            if let holder = lastHolder(descriptor), isAlive(holder) { return Name.quoted(holder) }
            poll(nil, 0, 1)
        }
        return lastHolder(descriptor).map { Name.quoted($0) } ?? "unknown"
    }

    private static func lastHolder(_ descriptor: Int32) -> String? {
        var buffer = [UInt8](repeating: 0, count: 200)
        let count = pread(descriptor, &buffer, buffer.count, 0)
        return count > 0 ? String(decoding: buffer.prefix(count), as: UTF8.self) : nil
    }

    // In another container's process namespace it seems dead, though it is not: then its name comes a little later.
    private static func isAlive(_ holder: String) -> Bool {
        let number = holder.hasPrefix("pid ") ? pid_t(holder.dropFirst(4).prefix { $0.isNumber }) : nil
        guard let pid = number, pid > 0 else { return false }
        return kill(pid, 0) == 0 || errno == EPERM
    }
}
