import Foundation
import Glibc
import KilnEngine
import KilnModel
import KilnSystem

extension QEMUDiskTool {
    /// Below this a failure of a tool is blamed on the disk even where the tool does not say so.
    private static let scarce: UInt64 = 1 << 20

    /// Runs `body` and turns the failure of a tool on a full disk into `disk.full`.
    func explainingFullDisk<Result>(at path: String, _ body: () async throws -> Result) async throws -> Result {
        do {
            return try await body()
        } catch let error as KilnError {
            let directory = DurableFile.directory(of: path)
            // The tools run with LANG=C, so this is the text of ENOSPC in every one of them.
            let says = error.cause?.contains("No space left on device") ?? false
            let free = FreeSpace(at: directory)
            guard says || (free.map { $0.bytes < QEMUDiskTool.scarce } ?? false) else { throw error }
            throw KilnError(
                .diskFull,
                "there is no space for \(path): \(free.map { "\($0.bytes >> 20) MiB" } ?? "nothing known to be") free in "
                    + directory,
                hint: "free some space there, for example with 'kiln gc', and run the command again",
                cause: error.cause,
                exit: .aborted
            )
        }
    }
}

/// The space that the file system of a directory has left.
public struct FreeSpace: Sendable, Hashable {
    /// Bytes that this user can still write.
    public let bytes: UInt64

    init(bytes: UInt64) { self.bytes = bytes }

    /// Measures it; nothing where the directory can't be examined.
    public init?(at directory: String) {
        var found = statvfs()
        guard statvfs(directory, &found) == 0 else { return nil }
        bytes = UInt64(found.f_bavail) * UInt64(found.f_frsize)
    }
}
