import Foundation
import KilnModel

/// The first 64 KiB of a regular file, and big-endian numbers in them; what lies beyond the end reads as all ones, which no
/// check accepts.
public struct HeaderBytes: Sendable {
    /// The bytes that were read.
    public let bytes: [UInt8]
    /// How many bytes the file has.
    public let size: UInt64
    private let path: String

    private static let length = 1 << 16

    /// Reads them.
    ///
    /// - Parameter followingLinks: whether the path is what a user named, and not a file of Kiln's own.
    /// - Throws: `KilnError` with code `disk.refused` where the file can't be read or is no regular one.
    public init(_ path: String, followingLinks: Bool = false) throws {
        self.path = path
        // O_NONBLOCK: a FIFO without a writer would hold open() for ever.
        let flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (followingLinks ? 0 : O_NOFOLLOW)
        let file = open(path, flags)
        guard file >= 0 else {
            let why = errno == ELOOP ? "it is a symbolic link" : String(cString: strerror(errno))
            throw HeaderBytes.refused(path, why)
        }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw HeaderBytes.refused(path, "it is not a regular file")
        }
        size = UInt64(status.st_size)
        var buffer = [UInt8](repeating: 0, count: HeaderBytes.length)
        let count = pread(file, &buffer, buffer.count, 0)
        guard count >= 0 else { throw HeaderBytes.refused(path, String(cString: strerror(errno))) }
        bytes = Array(buffer.prefix(count))
    }

    /// Reads them from an open file.
    ///
    /// - Throws: `KilnError` with code `file.unreadable`.
    public init(_ file: borrowing OpenFile) throws {
        path = file.path
        size = UInt64(try file.size)
        var buffer = [UInt8](repeating: 0, count: HeaderBytes.length)
        let count = try buffer.withUnsafeMutableBytes { try file.read(into: $0, at: 0) }
        bytes = Array(buffer.prefix(count))
    }

    init(_ bytes: [UInt8]) {
        (self.bytes, size, path) = (Array(bytes.prefix(HeaderBytes.length)), UInt64(bytes.count), "memory")
    }

    /// The four bytes from `offset` on.
    public func word(at offset: Int) -> UInt32 {
        guard offset >= 0, offset + 4 <= bytes.count else { return .max }
        return bytes[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// The eight bytes from `offset` on.
    public func long(at offset: Int) -> UInt64 { UInt64(word(at: offset)) << 32 | UInt64(word(at: offset + 4)) }

    /// `length` bytes from `offset` on as text; nothing where they are none.
    public func text(at offset: Int, _ length: Int) -> String? {
        guard offset >= 0, length >= 0, length <= bytes.count, offset <= bytes.count - length else { return nil }
        return String(validating: bytes[offset..<offset + length], as: UTF8.self)
    }

    /// The error for a file that is no usable disk.
    public func refused(_ why: String) -> KilnError { HeaderBytes.refused(path, why) }

    private static func refused(_ path: String, _ why: String) -> KilnError {
        KilnError(.diskRefused, "\(path) can't be used as a disk: \(why)", exit: .invalidFile)
    }
}
