import Foundation
import Glibc
import KilnModel

extension DurableFile {
    /// Makes the file `draft` durable and gives it the name `path`; replaces what `path` was.
    public static func publish(_ draft: String, as path: String) throws {
        try synchronize(draft)
        try rename(draft, to: path)
    }

    /// An empty directory beside `path` that only this user can enter, for what `body` makes; removed afterwards.
    ///
    /// Its name is always the same, so whatever a killed process left in it is removed too. The caller holds a lock that
    /// keeps a second process from making the same file.
    ///
    /// - Throws: `KilnError` with code `disk.no-directory`, and what `body` throws.
    public static func withPrivateDirectory<Result>(
        beside path: String,
        _ body: (String) async throws -> Result
    ) async throws -> Result {
        let directory = path + ".making"
        try? FileManager.default.removeItem(atPath: directory)
        guard mkdir(directory, 0o700) == 0 else {
            throw KilnError(
                .diskNoDirectory,
                "the working directory \(directory) can't be made",
                hint: "check that its parent exists, belongs to you and has space",
                cause: String(cString: strerror(errno))
            )
        }
        defer { try? FileManager.default.removeItem(atPath: directory) }
        return try await body(directory)
    }
}
