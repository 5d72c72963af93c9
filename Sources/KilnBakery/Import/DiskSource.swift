import Foundation
import KilnModel
import KilnStore
import KilnSystem

/// Where a disk that others made comes from, and by what it is known to be the right one.
public struct DiskSource: Sendable, Hashable {
    /// Where something is.
    public enum Place: Sendable, Hashable, CustomStringConvertible {
        /// A file of this host.
        case file(String)
        /// A server has it.
        case url(DownloadURL)

        /// Takes an address for an address and all else for a path.
        ///
        /// - Throws: `KilnError` with code `download.url-refused`.
        public init(_ text: String) throws {
            self = DownloadURL.isOne(text) ? .url(try DownloadURL(text)) : .file(text)
        }

        /// As the user wrote it, but for what may be a secret.
        public var description: String {
            switch self {
            case .file(let path): path
            case .url(let url): url.description
            }
        }

        /// What the file is called in a list of checksums.
        var fileName: String {
            switch self {
            case .file(let path): URL(fileURLWithPath: path).lastPathComponent
            case .url(let url): url.fileName
            }
        }

        var url: DownloadURL? {
            guard case .url(let url) = self else { return nil }
            return url
        }
    }

    /// Where it is.
    public var place: Place
    /// What its content has to be.
    public var checksums: [Checksum]
    /// Its publisher's list of checksums, which has one for it.
    public var sums: Place?
    /// Whether only what was downloaded before is used.
    public var isOffline = false

    /// A disk at a place; what is downloaded needs a checksum or a list.
    public init(_ place: Place, checksums: [Checksum] = [], sums: Place? = nil) {
        (self.place, self.checksums, self.sums) = (place, checksums, sums)
    }
}

/// A file that is there and is what its checksums say.
struct TakenFile: Sendable {
    let path: String
    /// Whether it may be moved.
    let isOwn: Bool
    /// What holds it.
    private let download: Downloads.File?

    init(_ path: String, isOwn: Bool, download: Downloads.File? = nil) {
        (self.path, self.isOwn, self.download) = (path, isOwn, download)
    }
}

extension DiskSource {
    /// The file, downloaded where that is needed, and compared with its checksums.
    ///
    /// - Parameters:
    ///   - folder: takes a copy of a local file that is to be compared, so that nobody can change it in between.
    ///   - note: is told what is odd and does no harm.
    /// - Throws: `KilnError` with code `checksum.…`, `download.…`, `disk.full`, `lock.held`, `file.…`, `state.…` or `tool.…`;
    ///   `CancellationError`.
    func taken(
        into folder: String,
        by downloads: Downloads,
        note: @escaping @Sendable (String) -> Void
    ) async throws -> TakenFile {
        switch place {
        case .url(let url): return try await downloaded(url, by: downloads, note)
        case .file(let path):
            // Told early, before anything is waited for.
            _ = try RawFile(path)
            let expected = try await expected(by: downloads, note)
            guard !expected.isEmpty else { return TakenFile(path, isOwn: false) }
            let copy = "\(folder)/taken"
            try await BlockingWork.run {
                try SparseCopy.copy(path, to: copy)
                try expected.require(of: copy, as: path)
            }
            return TakenFile(copy, isOwn: true)
        }
    }

    private func downloaded(
        _ url: DownloadURL,
        by downloads: Downloads,
        _ note: @escaping @Sendable (String) -> Void
    ) async throws -> TakenFile {
        let file: Downloads.File
        if isOffline {
            // A list on this host can be read; of one elsewhere it is known what it said.
            let local = sums?.url == nil ? try await expected(by: downloads, note) : checksums
            file = try await downloads.knownFile(at: url, checksums: local, list: sums?.url)
        } else {
            guard !checksums.isEmpty || sums != nil else { throw checksumRequired(url) }
            let expected = try await expected(by: downloads, note)
            file = try await downloads.file(at: url, checksums: expected, list: sums?.url)
        }
        return TakenFile(file.path, isOwn: false, download: file)
    }

    /// All that the content has to be.
    private func expected(
        by downloads: Downloads,
        _ note: @Sendable (String) -> Void
    ) async throws -> [Checksum] {
        guard let sums else { return checksums }
        let text: String
        switch sums {
        case .file(let path): text = try await BlockingWork.run { try DiskSource.list(path) }
        case .url(let url):
            guard !isOffline else { throw listOffline(url) }
            text = try await downloads.text(at: url)
            if !url.isSecure { note("the checksums of \(url) came by http: whoever is between can change both") }
        }
        let list = ChecksumList(text)
        let checksum = try list.checksum(of: place.fileName, source: sums.description)
        if list.isSigned { note("the signature of \(sums) was not checked, only the checksum in it") }
        return checksums + [checksum]
    }

    private static func list(_ path: String) throws -> String {
        let file = try RawFile(path)
        return String(decoding: try file.bytes(at: 0, count: ChecksumList.longest), as: UTF8.self)
    }

    private func checksumRequired(_ url: DownloadURL) -> KilnError {
        KilnError(
            .checksumRequired,
            "\(url) is not downloaded: nothing says what it has to be",
            hint:
                "give its publisher's list of checksums with --sums URL, or the checksum itself with --sha256 or --sha512",
            exit: .usage
        )
    }

    private func listOffline(_ url: DownloadURL) -> KilnError {
        KilnError(
            .downloadMissing,
            "\(place) can't be compared with \(url) offline",
            hint: "name a list on this host with --sums, give the checksum itself, or leave --offline out",
            exit: .aborted
        )
    }
}
