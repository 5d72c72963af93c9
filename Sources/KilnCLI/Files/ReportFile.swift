import Foundation
import KilnModel
import KilnSystem

/// A file in which somebody wants a report; whether it can be written is known before anything is done.
struct ReportFile: Sendable {
    /// Its path.
    let path: String

    /// Refuses what can't be a report's file.
    ///
    /// - Throws: `KilnError` with code `report.not-writable`.
    init(_ path: String) throws {
        self.path = path.contains("/") ? path : "./" + path
        var status = stat()
        if lstat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
            throw failure("a regular file expected, \(ReportFile.kind(status)) found")
        }
        let folder = DurableFile.directory(of: self.path)
        guard !path.isEmpty, !path.hasSuffix("/"), access(folder, W_OK | X_OK) == 0 else {
            throw failure("files can't be made in the folder \(Name.quoted(folder))")
        }
    }

    /// Writes the report, whole or not at all; what was there is replaced.
    ///
    /// - Throws: `KilnError` with code `report.not-writable`.
    func write(_ text: String) async throws {
        let path = path
        do {
            try await BlockingWork.run { try DurableFile.write(Data(text.utf8), to: path) }
        } catch let error as KilnError {
            throw failure([error.message, error.cause].compactMap(\.self).joined(separator: ": "))
        }
    }

    private static func kind(_ status: stat) -> String {
        switch status.st_mode & S_IFMT {
        case S_IFDIR: "a folder"
        case S_IFLNK: "a link"
        default: "a device, a socket or a FIFO"
        }
    }

    private func failure(_ cause: String) -> KilnError {
        KilnError(
            .reportNotWritable,
            "the report can't be written to \(Name.quoted(path))",
            hint: "name a file in a folder that is there and yours to write in",
            cause: cause,
            exit: .usage
        )
    }
}
