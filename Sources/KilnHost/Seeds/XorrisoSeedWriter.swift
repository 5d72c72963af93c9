import Foundation
import Glibc
import KilnEngine
import KilnModel
import KilnSystem

/// Writes seed disks with xorriso and makes SSH keys with ssh-keygen.
///
/// What goes into a seed is secret: it exists only in directories that nobody else can enter, and in the seed, 0600.
public struct XorrisoSeedWriter: SeedWriter {
    /// The directory of the user's key pair, `KILN_HOME/ssh`.
    private let keys: String
    private let owner: MachineOwner?

    /// A writer.
    ///
    /// - Parameters:
    ///   - home: KILN_HOME, below which the user's key pair is kept.
    ///   - owner: the user that machines run as, where it isn't the user who runs Kiln.
    public init(home: String, owner: MachineOwner?) {
        keys = home + "/ssh"
        self.owner = owner
    }

    /// Writes a NoCloud disk.
    ///
    /// - Throws: `seed.invalid-name` for a file name that isn't plain, `tool.missing`, `tool.failed`.
    public func writeSeed(_ files: [String: [UInt8]], to path: String) async throws {
        try await DurableFile.withPrivateDirectory(beside: path) { directory in
            let tree = directory + "/tree"
            guard mkdir(tree, 0o700) == 0 else { throw notWritten(tree, errno) }
            for (name, content) in files { try write(content, named: name, in: tree) }
            let draft = directory + "/seed.iso"
            try await Command(
                "xorriso",
                ["-as", "mkisofs", "-quiet", "-V", "CIDATA", "-J", "-r", "-o", draft, tree]
            ).run()
            guard chmod(draft, 0o600) == 0 else { throw notWritten(draft, errno) }
            try owner?.give(draft)
            try DurableFile.publish(draft, as: path)
        }
    }

    /// A new Ed25519 key pair.
    ///
    /// - Throws: `tool.missing`, `tool.failed`.
    public func makeHostKey(comment: String) async throws -> SSHKeyPair {
        let place = FileManager.default.temporaryDirectory.path + "/kiln-key-\(UUID().uuidString)"
        return try await DurableFile.withPrivateDirectory(beside: place) { directory in
            try await makeKeyPair(at: directory + "/key", comment: comment)
            return SSHKeyPair(
                privateKey: try read(directory + "/key"),
                publicKey: try read(directory + "/key.pub")
            )
        }
    }

    /// The public key of the pair in `KILN_HOME/ssh`, which is made the first time.
    ///
    /// - Throws: `tool.missing`, `tool.failed`, `seed.key-unreadable`.
    public func userPublicKey() async throws -> String {
        let path = keys + "/id_ed25519.pub"
        if access(path, R_OK) != 0 { try await makeUserKey() }
        return try read(path).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Makes the pair in a directory of its own and renames that: of two processes that do this at once one wins, and
    /// both use what is there then.
    private func makeUserKey() async throws {
        try await DurableFile.withPrivateDirectory(beside: "\(keys).\(UUID().uuidString)") { directory in
            try await makeKeyPair(at: directory + "/id_ed25519", comment: "kiln")
            try DurableFile.synchronize(directory + "/id_ed25519")
            try DurableFile.synchronize(directory + "/id_ed25519.pub")
            guard rename(directory, keys) == 0 || errno == EEXIST || errno == ENOTEMPTY else {
                throw notWritten(keys, errno)
            }
        }
    }

    private func makeKeyPair(at path: String, comment: String) async throws {
        try await Command("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", path]).run()
    }

    private func write(_ content: [UInt8], named name: String, in directory: String) throws {
        let plain = Set("abcdefghijklmnopqrstuvwxyz0123456789-._".utf8)
        guard !name.isEmpty, !name.hasPrefix("."), name.utf8.allSatisfy({ plain.contains($0) }) else {
            throw KilnError(.seedInvalidName, "\(Name.quoted(name)) can't be the name of a file in a seed")
        }
        let path = directory + "/" + name
        guard FileManager.default.createFile(atPath: path, contents: Data(content)) else {
            throw notWritten(path, errno)
        }
    }

    private func read(_ path: String) throws -> String {
        guard let bytes = FileManager.default.contents(atPath: path) else {
            throw KilnError(.seedKeyUnreadable, "the key \(path) can't be read", hint: "check its owner and mode")
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func notWritten(_ path: String, _ code: Int32) -> KilnError {
        KilnError(.seedNotWritten, "\(path) can't be written", cause: String(cString: strerror(code)))
    }
}
