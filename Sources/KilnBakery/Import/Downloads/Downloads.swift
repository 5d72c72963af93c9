import Foundation
import KilnModel
import KilnStore
import KilnSystem

/// What was downloaded for an image store, in its folder `downloads/`.
///
/// ```
/// KEY.file              whole, and as its checksums say
/// KEY.json              which checksums these are
/// KEY.part, KEY.…       a download under way; see `Transfer`
/// KEY.lock              who works with them
/// ```
///
/// KEY is the sha256 of the address. Only a file that has its checksums gets the name `KEY.file`; whoever asks for it later
/// compares it once more.
struct Downloads: Sendable {
    private let folder: String
    private let limits: DownloadLimits
    private let tell: @Sendable (String) -> Void

    /// The downloads of a store; `tell` takes a line whenever there is something to tell.
    init(of store: ImageStore, limits: DownloadLimits, tell: @escaping @Sendable (String) -> Void) {
        folder = store.root + "/downloads"
        self.limits = limits
        self.tell = tell
    }

    /// A downloaded file that nobody exchanges as long as this is there.
    final class File: Sendable {
        let path: String
        private let lock: FileLock

        fileprivate init(_ path: String, _ lock: FileLock) { (self.path, self.lock) = (path, lock) }
    }

    /// What is known of a file that was downloaded.
    private struct Record: Codable {
        let url: String
        let checksums: [String]
        /// The key of the list that the checksum came from.
        let list: String?
    }

    /// The file at an address, downloaded unless the very file is there already.
    ///
    /// - Parameters:
    ///   - checksums: what its content has to be; at least one.
    ///   - list: the address of the list that they come from.
    /// - Throws: `KilnError` with code `checksum.mismatch`, `download.…`, `lock.held`, `disk.full`, `file.…`, `state.…` or
    ///   `tool.…`; `CancellationError`.
    func file(at url: DownloadURL, checksums: [Checksum], list: DownloadURL?) async throws -> File {
        let (key, lock) = try claim(url)
        let file = "\(folder)/\(key).file"
        if DownloadedFile.size(file) != nil,
            try await BlockingWork.run({ try checksums.firstMismatch(with: file) }) == nil
        {
            tell("\(url.shortName) was downloaded before")
        } else {
            try await transfer(url, key, checksums)
        }
        let record = Record(url: url.description, checksums: checksums.map(\.description), list: try list?.key)
        try DurableFile.writeJSON(record, to: "\(folder)/\(key).json")
        return File(file, lock)
    }

    /// The file at an address that was downloaded before, without asking anybody.
    ///
    /// - Parameters:
    ///   - checksums: what its content has to be, besides what it was when it was downloaded.
    ///   - list: the address of the list that has to say so.
    /// - Throws: `KilnError` with code `download.missing`, `checksum.mismatch`, `lock.held`, `file.…` or `state.…`.
    func knownFile(at url: DownloadURL, checksums: [Checksum], list: DownloadURL?) async throws -> File {
        let (key, lock) = try claim(url)
        let file = "\(folder)/\(key).file"
        guard let record = try DurableFile.readJSON(Record.self, from: "\(folder)/\(key).json"),
            DownloadedFile.size(file) != nil
        else { throw missing("\(url) was not downloaded before") }
        if let list, record.list != (try list.key) {
            throw missing("\(url) was downloaded before, but not with the checksum of \(list)")
        }
        let known = record.checksums.compactMap { Checksum(written: $0) }
        guard !known.isEmpty else { throw missing("of \(url) it is not known what it has to be") }
        try await BlockingWork.run { try (known + checksums).require(of: file, as: "what was downloaded from \(url)") }
        return File(file, lock)
    }

    /// A short text at an address.
    ///
    /// - Throws: `KilnError` with code `download.…`, `lock.held`, `disk.full`, `file.…`, `state.…` or `tool.…`;
    ///   `CancellationError`.
    func text(at url: DownloadURL) async throws -> String {
        let (key, lock) = try claim(url)
        defer { withExtendedLifetime(lock) {} }
        var limits = limits
        limits.largest = min(limits.largest, ByteCount(bytes: UInt64(ChecksumList.longest)))
        let transfer = Transfer(url: url, place: "\(folder)/\(key)", limits: limits)
        // Whatever is there is of another day.
        transfer.removeParts()
        defer { transfer.removeParts() }
        try await transfer.run()
        return String(decoding: FileManager.default.contents(atPath: transfer.part) ?? Data(), as: UTF8.self)
    }

    // MARK: - Parts

    private func claim(_ url: DownloadURL) throws -> (key: String, lock: FileLock) {
        try DurableFile.makeDirectory(folder)
        let key = try url.key
        return (key, try FileLock("\(folder)/\(key).lock", subject: "the download of \(url)"))
    }

    private func transfer(_ url: DownloadURL, _ key: String, _ checksums: [Checksum]) async throws {
        let transfer = Transfer(url: url, place: "\(folder)/\(key)", limits: limits, tell: tell)
        try await transfer.run()
        do {
            try await BlockingWork.run { try checksums.require(of: transfer.part, as: "what \(url) sends") }
        } catch {
            // Going on with it would lead to the same.
            transfer.removeParts()
            throw error
        }
        try DurableFile.synchronize(transfer.part)
        try DurableFile.rename(transfer.part, to: "\(folder)/\(key).file")
        transfer.removeParts()
    }

    private func missing(_ what: String) -> KilnError {
        KilnError(
            .downloadMissing,
            what,
            hint: "run the command without --offline once",
            exit: .aborted
        )
    }
}
