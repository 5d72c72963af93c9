import Foundation
import KilnModel

/// An exclusive lock of the kernel on an open file; it goes with the process, however that ends.
///
/// The file stays for ever: its existence means nothing. What stands in it only tells who held the lock last.
public final class FileLock: Sendable {
    private let descriptor: Int32

    /// Takes the lock at once or not at all.
    ///
    /// - Throws: `KilnError` with code `lock.held` and exit `.blocked`, naming the process that holds it.
    public init(_ path: String, subject: String) throws {
        // From here on deinit closes it, also where this throws: a second close() would hit whoever has the number by then.
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard descriptor >= 0 else { throw DurableFile.failure("open", path) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let holder = FileLock.lastHolder(descriptor)
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
        let holder = "pid \(getpid()), \(CommandLine.arguments.prefix(4).joined(separator: " "))"
        ftruncate(descriptor, 0)
        _ = holder.withCString { pwrite(descriptor, $0, strlen($0), 0) }
    }

    // Said, not left to close(): a child that was forked but has not yet called exec still has the file open.
    deinit {
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }

    private static func isStillNamed(_ descriptor: Int32, _ path: String) -> Bool {
        var opened = stat()
        var named = stat()
        guard fstat(descriptor, &opened) == 0, lstat(path, &named) == 0 else { return false }
        return opened.st_ino == named.st_ino && opened.st_dev == named.st_dev
    }

    private static func lastHolder(_ descriptor: Int32) -> String {
        var buffer = [UInt8](repeating: 0, count: 200)
        let count = pread(descriptor, &buffer, buffer.count, 0)
        guard count > 0 else { return "unknown" }
        return Name.quoted(String(decoding: buffer.prefix(count), as: UTF8.self))
    }
}
