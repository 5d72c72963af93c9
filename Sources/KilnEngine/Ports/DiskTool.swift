import KilnModel

/// Makes and examines disk files.
///
/// All methods throw `KilnError`; where one throws, it leaves no file behind.
public protocol DiskTool: Sendable {
    /// Makes an empty qcow2 layer at `path` on top of the qcow2 file `backing`; `backing` is stored as it is given.
    func createLayer(at path: String, over backing: String) async throws
    /// Makes a qcow2 file of `size` that holds an empty file system.
    func createVolume(at path: String, size: ByteCount, fileSystem: VolumeSpec.FileSystem, label: String) async throws
    /// Merges what `layer` holds into the file below it, which must be writable; both read the same afterwards.
    func merge(_ layer: String) async throws
    /// Makes the machines' user the owner of a file that machines write to.
    func giveToMachines(_ path: String) throws
}

/// Writes seed disks.
public protocol SeedWriter: Sendable {
    /// Writes a NoCloud disk (label CIDATA, mode 0600) that holds `files` by name; replaces an old one.
    func writeSeed(_ files: [String: String], to path: String) async throws
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

/// Finds sealed images and vouches for them.
public protocol ImageSource: Sendable {
    /// The image that the reference names, its content verified against its digest.
    ///
    /// Throws `image.missing` or `image.digest-mismatch`.
    func verifiedImage(_ reference: ImageReference) async throws -> StoredImage
}
