import Glibc
import KilnModel

/// The space that the file system of a directory has left.
public struct FreeSpace: Sendable, Hashable {
    /// Bytes that this user can still write.
    public let bytes: UInt64

    /// Below this a program that could not write is taken to have failed for that.
    private static let scarce: UInt64 = 1 << 20

    /// So much space.
    public init(bytes: UInt64) { self.bytes = bytes }

    /// Measures it; nothing where the directory can't be examined.
    public init?(at directory: String) {
        var found = statvfs()
        guard statvfs(directory, &found) == 0 else { return nil }
        bytes = UInt64(found.f_bavail) * UInt64(found.f_frsize)
    }

    /// Whether nothing more of any size can be written.
    public var isScarce: Bool { bytes < FreeSpace.scarce }

    /// Why `path` could not be written, where that is for want of space: to be asked while what was written still lies there.
    ///
    /// - Parameter cause: what the program said that failed; it decides nothing.
    public static func shortage(for path: String, cause: String?) -> KilnError? {
        let directory = DurableFile.directory(of: path)
        guard let free = FreeSpace(at: directory), free.isScarce else { return nil }
        return KilnError(
            .diskFull,
            "there is no space for \(path): \(free.bytes >> 20) MiB free in \(directory)",
            hint: "free some space there, for example with 'kiln gc', and run the command again",
            cause: cause,
            exit: .aborted
        )
    }
}

extension Command {
    /// Runs a program that writes to `path`, and insists on exit status 0.
    ///
    /// - Throws: as ``run()``, and `disk.full` where the program failed and there is no space for what it writes.
    @discardableResult
    public func run(writing path: String) async throws -> Output {
        let output = try await result()
        guard output.status == 0 else { throw failure(output, writing: path) }
        return output
    }

    /// What to throw for an exit status that is no result, of a program that writes to `path`.
    public func failure(_ output: Output, writing path: String) -> KilnError {
        let failure = failure(output)
        return FreeSpace.shortage(for: path, cause: failure.cause) ?? failure
    }
}
