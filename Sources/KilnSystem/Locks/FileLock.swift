import Foundation
import KilnModel

/// A lock of the kernel on a file that tells who holds it; it goes with the process, however that ends.
///
/// The file stays for ever: its existence means nothing. What stands in it only tells who holds the lock, or who was
/// killed with it.
public final class FileLock: Sendable {
    private let path: String
    private let descriptor: Int32
    private let isHeld: Bool
    private let kind: KernelLock.Kind

    /// Takes the lock or is refused: at once, or within a tenth of a second while its holder has no name yet.
    ///
    /// - Throws: `KilnError` with code `lock.held` and exit `.blocked`, naming the process that holds it.
    public init(_ path: String, subject: String, kind: KernelLock.Kind = .exclusive) throws {
        self.kind = kind
        self.path = path
        let opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
        // Who shares it need not be able to write to the file.
        let isForReaders = opened < 0 && kind == .shared && (errno == EACCES || errno == EROFS)
        descriptor = isForReaders ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : opened
        guard descriptor >= 0 else { throw DurableFile.failure("open", path) }
        let holder = FileLock.take(descriptor, kind)
        isHeld = holder == nil
        // From here on deinit closes it, also where this throws: a second close() would hit whoever has the number by then.
        if let holder {
            throw KilnError(
                .lockHeld,
                "\(subject) is being changed by \(FileLock.who(holder))",
                hint: "wait until it has ended, or watch it with 'kiln ps'",
                exit: .blocked
            )
        }
        // Taking a lab down removes its locks; what was locked a moment after that is nothing any more.
        guard FileLock.isStillNamed(descriptor, path) else {
            throw KilnError(
                .lockHeld,
                "\(subject) was just removed by another process",
                hint: "run the command again",
                exit: .blocked
            )
        }
        // Of several who share it none is named in the file, and nobody who was killed with it is any more.
        ftruncate(descriptor, 0)
        guard kind == .exclusive else { return }
        let name = "pid \(getpid()), \(FileLock.command(CommandLine.arguments))"
        _ = name.withCString { pwrite(descriptor, $0, strlen($0), 0) }
    }

    /// Takes the lock as soon as it is free, for at most `limit`.
    ///
    /// No event tells of that moment, so it is tried again and again, without blocking a thread.
    ///
    /// - Parameter waiting: is told once for whom it waits, when it has to.
    /// - Throws: `KilnError` with code `lock.held`, naming who still holds it; `CancellationError`.
    public static func whenFree(
        _ path: String,
        subject: String,
        kind: KernelLock.Kind = .exclusive,
        within limit: Duration,
        waiting: @Sendable (KilnError) -> Void = { _ in }
    ) async throws -> FileLock {
        let end = ContinuousClock.now + limit
        var isTold = false
        while true {
            do {
                return try FileLock(path, subject: subject, kind: kind)
            } catch let error as KilnError where error.code == .lockHeld {
                guard ContinuousClock.now < end else { throw error }
                if !isTold { waiting(error) }
                isTold = true
                try await Task.sleep(for: .milliseconds(50))
            }
        }
    }

    /// Lets the lock outlive this program, for the one that this process is about to become.
    ///
    /// - Returns: the descriptor that has it; the next program sees to it that its own children don't inherit that.
    public func handOver() -> Int32 {
        _ = fcntl(descriptor, F_SETFD, 0)
        return descriptor
    }

    /// Whether the lock is still the one of its name: another process may have removed the file, and with it what was locked.
    public var isStillNamed: Bool { FileLock.isStillNamed(descriptor, path) }

    /// Whether a descriptor is the lock that a program before this one has handed over, and `path` still names it.
    public static func isHandedOver(_ descriptor: Int32, as path: String) -> Bool {
        isStillNamed(descriptor, path) && KernelLock.take(descriptor)
    }

    // The name goes first, so that nobody is blamed for what the next holder does. The unlocking is said, not left to
    // close(): a child that was forked but has not yet called exec still has the file open.
    deinit {
        if isHeld, kind == .exclusive { ftruncate(descriptor, 0) }
        KernelLock.release(descriptor)
        close(descriptor)
    }

    // Tasks of one command wait for each other, too: then there is no other process to look for.
    private static func who(_ holder: String) -> String {
        holder.hasPrefix("'pid \(getpid()),") ? "other work of this command: \(holder)" : "another process: \(holder)"
    }

    // The program without its directories, which may be so long that the verb would be cut off.
    static func command(_ arguments: [String]) -> String {
        let program = ((arguments.first ?? "unknown") as NSString).lastPathComponent
        return ([program] + arguments.dropFirst().prefix(3)).joined(separator: " ")
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
    // than a millisecond, and no event tells of it. Those who share a lock write no name, but the kernel knows them.
    private static func take(_ descriptor: Int32, _ kind: KernelLock.Kind) -> String? {
        for _ in 0..<100 {
            if KernelLock.take(descriptor, kind) { return nil }
            if let holder = lastHolder(descriptor), isAlive(holder) { return Name.quoted(holder) }
            poll(nil, 0, 1)
        }
        if let holder = lastHolder(descriptor) { return Name.quoted(holder) }
        let holders = KernelLock.holders(of: descriptor)
        return holders.isEmpty ? "unknown" : "pid " + holders.map(String.init).joined(separator: ", ")
    }

    private static func lastHolder(_ descriptor: Int32) -> String? {
        var buffer = [UInt8](repeating: 0, count: 200)
        let count = pread(descriptor, &buffer, buffer.count, 0)
        return count > 0 ? String(decoding: buffer.prefix(count), as: UTF8.self) : nil
    }

    // In another container's process namespace it seems dead, though it is not: then its name comes a little later.
    private static func isAlive(_ holder: String) -> Bool {
        guard let pid = pid(of: holder), pid > 0 else { return false }
        return kill(pid, 0) == 0 || errno == EPERM
    }

    private static func pid(of holder: String) -> pid_t? {
        holder.hasPrefix("pid ") ? pid_t(holder.dropFirst(4).prefix { $0.isNumber }) : nil
    }
}
