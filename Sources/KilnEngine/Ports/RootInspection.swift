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
    /// Writes the listing of a disk's root to `path`, which must not exist.
    ///
    /// The root is the ext4 file system that the disk holds. Of a qcow2 disk with partitions it is the one that is marked as
    /// such, else the largest with ext4.
    ///
    /// Throws `drift.no-file-system` where there is none.
    func writeListing(of disk: String, format: DiskFormat, to path: String) async throws
    /// Writes all of a disk's root as a tar archive (pax) to `path`, which must not exist; the same root gives the same bytes.
    ///
    /// Owners are numbers, extended attributes are records `SCHILY.xattr.NAME`, and holes are those of GNU's format 1.0. There
    /// is nothing of sockets, of `chattr`'s flags, and of an empty `/lost+found`.
    ///
    /// Throws `root.damaged` where something of it can't be read, and as ``writeListing(of:format:to:)``.
    func archive(of disk: String, format: DiskFormat, to path: String) async throws
    /// Makes a raw disk, on which mke2fs has just made a file system, say that everything was made and read at a time, and
    /// that nothing was changed later.
    ///
    /// - Parameter epoch: in seconds since 1970.
    func clampTimes(of disk: String, to epoch: Int) async throws
    /// Copies a root's own layer, to which nobody should be writing.
    ///
    /// Throws `drift.copy-torn` where the copy is not whole.
    func copy(_ overlay: String) async throws -> RootCopy
    /// The listing of a copied root on top of its image's disk; what its journal holds is applied first.
    ///
    /// - Parameters:
    ///   - size: the size that the root was made with, as for ``DiskTool/createLayer(at:over:size:)``; nothing means that of
    ///     `disk`.
    ///   - paths: of which to list what is below, with what leads there; none means the root.
    ///
    /// Throws `drift.size-changed` where the copy has another size.
    func listing(
        of copy: RootCopy,
        over disk: String,
        size: ByteCount?,
        below paths: [RootPath]
    ) async throws -> RootListing
    /// The content of a file of a copied root; no link is followed.
    ///
    /// Throws `root.no-file` where there is no regular file, and `root.too-large` where it has more bytes than that.
    func content(
        of path: RootPath,
        in copy: RootCopy,
        over disk: String,
        size: ByteCount?,
        limit: Int
    ) async throws -> [UInt8]
    /// Removes a copy; one that is gone is not an error.
    func discard(_ copy: RootCopy)
    /// Removes the copies that processes left which are gone, or only tells; returns their paths.
    func removeAbandoned(dryRun: Bool) -> [String]
    /// The sha256 of some bytes, as listings give it.
    func digest(_ bytes: [UInt8]) -> String
}
