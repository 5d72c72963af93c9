import Foundation
import Glibc
import KilnModel

/// Files that survive a power cut, and directories that nobody else can look into.
enum DurableFile {
    /// Writes back the content of a file or directory.
    ///
    /// - Throws: `KilnError` with code `disk.not-durable`.
    static func sync(_ path: String) throws {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw failed(path, errno) }
        defer { close(file) }
        guard fsync(file) == 0 else { throw failed(path, errno) }
    }

    /// Writes back the file `draft`, renames it to `path` and writes back the directory; replaces what `path` was.
    ///
    /// - Throws: `KilnError` with code `disk.not-durable`.
    static func publish(_ draft: String, as path: String) throws {
        try sync(draft)
        guard rename(draft, path) == 0 else { throw failed(path, errno) }
        try sync(directory(of: path))
    }

    /// An empty directory beside `path` that only this user can enter, for what `body` makes; removed afterwards.
    ///
    /// Its name is always the same, so whatever a killed process left in it is removed too. The caller holds a lock that
    /// keeps a second process from making the same file.
    ///
    /// - Throws: `KilnError` with code `disk.no-directory`, and what `body` throws.
    static func withPrivateDirectory<Result>(
        beside path: String,
        _ body: (String) async throws -> Result
    ) async throws -> Result {
        let directory = path + ".making"
        try? FileManager.default.removeItem(atPath: directory)
        guard mkdir(directory, 0o700) == 0 else {
            throw KilnError(
                "disk.no-directory",
                "the working directory \(directory) can't be made",
                hint: "check that its parent exists, belongs to you and has space",
                cause: String(cString: strerror(errno))
            )
        }
        defer { try? FileManager.default.removeItem(atPath: directory) }
        return try await body(directory)
    }

    /// The directory that holds `path`.
    static func directory(of path: String) -> String {
        URL(fileURLWithPath: path).deletingLastPathComponent().path
    }

    private static func failed(_ path: String, _ code: Int32) -> KilnError {
        KilnError("disk.not-durable", "\(path) can't be written back", cause: String(cString: strerror(code)))
    }
}
