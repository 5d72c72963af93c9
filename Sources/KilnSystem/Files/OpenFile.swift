import Foundation
import KilnModel

/// A file descriptor that is closed when its owner goes away.
public struct OpenFile: ~Copyable {
    /// The open file.
    public let descriptor: CInt
    /// What it was opened by.
    public let path: String

    /// Opens a regular file for reading.
    ///
    /// Never waits, whatever lies there.
    ///
    /// - Throws: `KilnError` with code `file.unreadable` or `file.not-regular`.
    public init(reading path: String) throws {
        // Looked at first, because to open a device can have effects; and again once open, because it may be another
        // file by then. O_NONBLOCK: a FIFO without a writer would hold open() for ever.
        var status = stat()
        guard stat(path, &status) == 0 else { throw FileError.failed(.fileUnreadable, "read", path) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw FileError.notRegular(path) }
        let opened = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard opened >= 0 else { throw FileError.failed(.fileUnreadable, "read", path) }
        guard fstat(opened, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(opened)
            throw FileError.notRegular(path)
        }
        descriptor = opened
        self.path = path
    }

    /// Takes a descriptor over.
    public init(owning descriptor: CInt, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    /// Whether it is a regular file, and not what another process has put in its place.
    public var isRegular: Bool {
        get throws {
            var status = stat()
            guard fstat(descriptor, &status) == 0 else { throw FileError.failed(.fileUnreadable, "read", path) }
            return status.st_mode & S_IFMT == S_IFREG
        }
    }

    /// Makes a new file for writing; one that exists already is an error.
    public init(creating path: String, mode: mode_t = 0o644) throws {
        let opened = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard opened >= 0 else { throw FileError.failed(.fileUnwritable, "make", path) }
        descriptor = opened
        self.path = path
    }

    deinit { close(descriptor) }

    /// Reads up to `buffer.count` bytes at `offset`; fewer only at the end of the file.
    public func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws -> Int {
        guard let base = buffer.baseAddress else { return 0 }
        var filled = 0
        while filled < buffer.count {
            let count = pread(descriptor, base + filled, buffer.count - filled, off_t(offset + filled))
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw FileError.failed(.fileUnreadable, "read", path) }
            if count == 0 { break }
            filled += count
        }
        return filled
    }

    /// Writes all of `bytes` at `offset`.
    public func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws {
        guard let base = bytes.baseAddress else { return }
        var done = 0
        while done < bytes.count {
            let count = pwrite(descriptor, base + done, bytes.count - done, off_t(offset + done))
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw FileError.failed(.fileUnwritable, "write", path) }
            done += count
        }
    }

    /// How many bytes the file has.
    public var size: Int {
        get throws {
            var status = stat()
            guard fstat(descriptor, &status) == 0 else { throw FileError.failed(.fileUnreadable, "read", path) }
            return Int(status.st_size)
        }
    }

    /// Makes the file that long.
    public func truncate(to size: Int) throws {
        guard ftruncate(descriptor, off_t(size)) == 0 else { throw FileError.failed(.fileUnwritable, "write", path) }
    }

    /// Makes the content durable.
    public func synchronize() throws {
        guard fsync(descriptor) == 0 else { throw FileError.failed(.fileUnwritable, "write", path) }
    }
}

/// Errors about files, with the system's own words as the cause.
public enum FileError {
    /// Reads `errno`: call it before anything else can change that.
    public static func failed(_ code: ErrorCode, _ verb: String, _ path: String) -> KilnError {
        let number = errno
        let (hint, exit) = advice(number)
        return KilnError(
            code,
            "can't \(verb) \(path)",
            hint: hint,
            cause: String(cString: strerror(number)),
            exit: exit
        )
    }

    /// What to do, and whose fault it is: only what nobody foresaw is Kiln's.
    private static func advice(_ number: Int32) -> (hint: String?, exit: ExitCode) {
        switch number {
        case ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG: ("name one that is there", .usage)
        case EACCES, EPERM: ("check who owns it, and its mode", .usage)
        case ENOSPC, EDQUOT: ("make room and try again", .aborted)
        case EROFS, EFBIG: ("check the file system that it lies on", .aborted)
        default: (nil, .internalError)
        }
    }

    /// The error for what is no regular file.
    public static func notRegular(_ path: String) -> KilnError {
        KilnError(
            .fileNotRegular,
            "\(path) is not a regular file: a directory, a pipe, a socket or a device can't be an image",
            hint: "name a file that holds the image itself",
            exit: .invalidFile
        )
    }
}
