import KilnModel

/// Reads a root file system: that of a guest, of a sealed image, or a tree in a folder.
///
/// Links are followed within the root and never out of it. What lies there is hostile: sizes are limited, and nothing but
/// a regular file is ever read.
public protocol RootFiles: Sendable {
    /// What lies at a path; a link at its end is not followed. Nothing where nothing lies.
    ///
    /// The value of a link is its target; that of a file may be missing.
    func entry(_ path: RootPath) async throws -> RootEntry?
    /// The content of a regular file, or of the one that a link leads to; nothing where there is none.
    ///
    /// - Throws: `guest.too-large` or another `KilnError` where it has more than `limit` bytes.
    func content(_ path: RootPath, limit: Int) async throws -> [UInt8]?
    /// The sha256 of a regular file, or of the one that a link leads to; nothing where there is none.
    func digest(_ path: RootPath) async throws -> ImageDigest?
}

extension RootPath {
    /// The path as programs take it.
    var plain: String { "/" + names.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "/") }
}
