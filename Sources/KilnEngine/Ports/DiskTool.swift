import Foundation
import KilnModel

/// Makes and examines disk files.
///
/// All methods throw `KilnError`; where one throws, it leaves no file behind.
public protocol DiskTool: Sendable {
    /// Makes an empty qcow2 layer at `path` on top of the qcow2 file `backing`, which is stored as it is given.
    ///
    /// The layer is of the given size, which is no smaller than what is below; without one it is of the same.
    func createLayer(at path: String, over backing: String, size: ByteCount?) async throws
    /// Makes a qcow2 file of `size` that holds an empty file system and the mark.
    func createVolume(
        at path: String,
        size: ByteCount,
        fileSystem: VolumeSpec.FileSystem,
        label: String,
        mark: VolumeMark
    ) async throws
    /// What a disk of examined layers says of its mark, also while a machine writes to it.
    func mark(of disk: String) async throws -> VolumeMark.Finding
    /// Writes a mark to a layer that nobody has open.
    ///
    /// - Returns: false where it can't stand: there is no ext4, its journal is still to be replayed, which would undo it, or
    ///   something else has its place.
    func setMark(_ mark: VolumeMark, of layer: String) async throws -> Bool
    /// Merges what `layer` holds into the file below it, which must be writable; both read the same afterwards.
    func merge(_ layer: String) async throws
    /// Writes what is to be read on a layer over the file `backing` to a new qcow2 file of mode 0600 that stands alone and is sparse.
    ///
    /// Throws `disk.refused` where the layer stands on anything else.
    func flatten(_ layer: String, over backing: String, to file: String) async throws
    /// Makes the machines' user the owner of a file that machines write to.
    func giveToMachines(_ path: String) throws
    /// Judges a volume's layer by Kiln's own reading of its header: a regular qcow2 file that stands on the file named
    /// `backing` and needs no other.
    ///
    /// Returns the size that a guest sees. Throws `disk.refused`.
    func examineLayer(_ path: String, over backing: String?) throws -> ByteCount
    /// Checks the file system on a disk of examined layers, on a private copy; the disk stays as it is.
    func checkFileSystem(_ kind: VolumeSpec.FileSystem, of disk: String) async throws -> FileSystemFinding
    /// Repairs the file system on a private copy, and makes a layer at `layer`, over `disk`, that holds the differences.
    ///
    /// Throws `disk.beyond-repair` or `disk.newer-features`.
    func repairFileSystem(_ kind: VolumeSpec.FileSystem, of disk: String, into layer: String) async throws
    /// Enlarges disk and file system on a private copy, and makes a layer at `layer`, over `disk`, that holds the
    /// differences.
    ///
    /// Throws `disk.too-large` beyond a limit that is known, `disk.not-grown` where a tool knows of another one, and
    /// `disk.not-sound` or `disk.newer-features`.
    func growFileSystem(
        _ kind: VolumeSpec.FileSystem,
        of disk: String,
        to size: ByteCount,
        into layer: String
    ) async throws
    /// Writes the content of a disk, with a mark that is nobody's, to a new file of mode 0600 that stands alone.
    func exportDisk(_ disk: String, to file: String, as format: DiskFormat) async throws
    /// Makes a qcow2 file at `layer`, with label and mark, from a foreign disk file that holds an ext4 file system.
    ///
    /// Throws `disk.refused`, `disk.not-ext4` or `disk.newer-features`.
    func importDisk(_ file: String, to layer: String, label: String, mark: VolumeMark) async throws -> ForeignVolume
}

extension DiskTool {
    /// Makes an empty qcow2 layer of the size of what is below.
    public func createLayer(at path: String, over backing: String) async throws {
        try await createLayer(at: path, over: backing, size: nil)
    }
}

/// What a foreign disk was before it became a volume.
public struct ForeignVolume: Sendable, Hashable {
    /// The size that a guest sees.
    public let size: ByteCount
    /// The label that its file system had; any text.
    public let label: String
    /// The UUID of its file system, which it keeps.
    public let identity: UUID

    /// A disk that was read.
    public init(size: ByteCount, label: String, identity: UUID) {
        (self.size, self.label, self.identity) = (size, label, identity)
    }
}

/// The formats of disk files that leave Kiln.
public enum DiskFormat: String, Sendable, Hashable, Codable, CaseIterable {
    /// Byte for byte, with holes where nothing was written.
    case raw
    /// QEMU's own.
    case qcow2
}

/// What a check of a file system found.
public enum FileSystemFinding: Sendable, Hashable {
    /// Nothing to remark.
    case clean
    /// Sound once its journal was replayed and deleted files were released, which the next mount does by itself.
    case replayed
    /// Damaged; the words of the checking program, made safe to print.
    case damaged([String])
    /// Made with features that the checking program doesn't know, so that nobody can say; the program with its version.
    case newer(features: [String], than: String)

    /// Whether it can be mounted without a worry.
    public var isSound: Bool {
        switch self {
        case .clean, .replayed: true
        case .damaged, .newer: false
        }
    }
}

/// Writes seed disks.
public protocol SeedWriter: Sendable {
    /// Writes a NoCloud disk (label CIDATA, mode 0600) that holds `files` by name; replaces an old one.
    func writeSeed(_ files: [String: [UInt8]], to path: String) async throws
    /// A new Ed25519 key pair in OpenSSH's format; the private half goes into a seed and nowhere else.
    func makeHostKey(comment: String) async throws -> SSHKeyPair
    /// The public key whose owner may log in to the guests.
    func userPublicKey() async throws -> String
}

/// An SSH key pair in OpenSSH's text format.
public struct SSHKeyPair: Sendable {
    /// The private half; a secret.
    public let privateKey: String
    /// The public half.
    public let publicKey: String

    /// A pair from its halves.
    public init(privateKey: String, publicKey: String) {
        self.privateKey = privateKey
        self.publicKey = publicKey
    }
}
