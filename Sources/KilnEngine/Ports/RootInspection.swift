import KilnModel

/// A private copy of a root's own layer; whoever has it discards it.
public struct RootCopy: Sendable, Hashable {
    /// The directory that holds it and nothing else.
    public let directory: String
    /// The bytes that the layer takes up.
    public let allocated: ByteCount

    /// A copy from its parts.
    public init(directory: String, allocated: ByteCount) {
        self.directory = directory
        self.allocated = allocated
    }
}

/// Looks at root file systems from outside, without trusting who wrote them.
///
/// All methods throw `KilnError`.
public protocol RootInspection: Sendable {
    /// Writes the listing of a disk that holds an ext4 file system and no partitions to `path`, which must not exist.
    ///
    /// Throws `drift.no-file-system` where the disk holds anything else.
    func writeListing(of disk: String, format: DiskFormat, to path: String) async throws
    /// Copies a root's own layer, to which nobody should be writing.
    ///
    /// Throws `drift.copy-torn` where the copy is not whole.
    func copy(_ overlay: String) async throws -> RootCopy
    /// The listing of a copied root on top of its image's disk; what its journal holds is applied first.
    ///
    /// - Parameter paths: of which to list what is below, with what leads there; none means the root.
    func listing(of copy: RootCopy, over disk: String, below paths: [RootPath]) async throws -> RootListing
    /// The content of a file of a copied root; no link is followed.
    ///
    /// Throws `root.no-file` where there is no regular file, and `root.too-large` where it has more bytes than that.
    func content(of path: RootPath, in copy: RootCopy, over disk: String, limit: Int) async throws -> [UInt8]
    /// Removes a copy; one that is gone is not an error.
    func discard(_ copy: RootCopy)
    /// Removes the copies that processes left which are gone, or only tells; returns their paths.
    func removeAbandoned(dryRun: Bool) -> [String]
    /// The sha256 of some bytes, as listings give it.
    func digest(_ bytes: [UInt8]) -> String
}
