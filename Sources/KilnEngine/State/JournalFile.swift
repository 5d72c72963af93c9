import Foundation
import KilnModel
import KilnSystem

/// An append-only journal.
///
/// A record counts once file and directory are fsynced. Only the holder of the lock that goes with it writes.
struct JournalFile<Record: Codable & Sendable>: Sendable {
    let path: String

    /// All whole records; none where there is no journal yet.
    func records() throws -> [Record] {
        guard let data = try contents() else { return [] }
        return try JournalCodec.decode(data, as: Record.self, path: path)
    }

    /// Appends a record durably; a torn tail of an earlier crash is cut off first.
    func append(_ record: Record) throws {
        let existing = try contents()
        let whole = try existing.map { try JournalCodec.wholeBytes($0, path: path) } ?? 0
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard descriptor >= 0 else { throw DurableFile.failure("open", path) }
        defer { close(descriptor) }
        guard ftruncate(descriptor, off_t(whole)) == 0 else { throw DurableFile.failure("ftruncate", path) }
        lseek(descriptor, 0, SEEK_END)
        let bytes = (whole == 0 ? JournalCodec.header : Data()) + (try JournalCodec.encode(record))
        do {
            try DurableFile.append(bytes, to: descriptor, path: path)
            if whole == 0 { try DurableFile.synchronizeDirectory(of: path) }
        } catch {
            // After a failed fsync the kernel shows what the disk may not have, so nobody may read it as a record that
            // counts. https://lwn.net/Articles/752063/
            ftruncate(descriptor, off_t(whole))
            throw error
        }
    }

    private func contents() throws -> Data? {
        do {
            return try DurableFile.contents(path)
        } catch {
            throw KilnError(.stateUnreadable, "\(path) can't be read", cause: String(describing: error))
        }
    }
}
