import Foundation
import Glibc
import KilnModel

/// A private file that has lost its name already, for a program that reads it: unlike a pipe it needs nobody who writes, and
/// does not mind being left unread.
public struct UnlinkedFile: ~Copyable {
    /// Open for reading and writing, at the start of the content; closed with this value.
    public let descriptor: Int32

    /// A file that holds `content`.
    ///
    /// - Throws: `KilnError` with code `state.not-writable` or `disk.full`.
    public init(_ content: [UInt8]) throws { descriptor = try Self.made(content) }

    private static func made(_ content: [UInt8]) throws -> Int32 {
        let path = FileManager.default.temporaryDirectory.path + "/kiln-input-\(UUID().uuidString)"
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw DurableFile.failure("open", path) }
        unlink(path)
        do {
            try DurableFile.append(Data(content), to: descriptor, path: path)
            guard lseek(descriptor, 0, SEEK_SET) == 0 else { throw DurableFile.failure("lseek", path) }
            return descriptor
        } catch {
            close(descriptor)
            throw error
        }
    }

    deinit { close(descriptor) }
}
