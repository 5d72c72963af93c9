import Crypto
import Foundation
import Glibc
import KilnEngine
import KilnModel
import KilnSystem

/// Looks at roots with qemu-img, e2fsck and ``RootWalk``, each as the user who runs machines.
public struct RootInspector: RootInspection {
    private(set) var scratch: ScratchDirectory
    let owner: MachineOwner?
    let executable: String

    /// An inspector.
    ///
    /// - Parameters:
    ///   - scratch: a directory for what is needed meanwhile; made when it is needed.
    ///   - owner: the user who runs machines; nothing where that is the user who runs Kiln.
    ///   - executable: the path of the `kiln` program, which runs itself once more to read a file system.
    public init(scratch: String, owner: MachineOwner?, executable: String) {
        self.scratch = ScratchDirectory(path: scratch, owner: owner)
        self.owner = owner
        self.executable = executable
    }

    /// The same, which says for whom it waits.
    func telling(_ progress: @escaping ProgressSink) -> RootInspector {
        var inspector = self
        inspector.scratch.waiting = { progress(.note("waiting: \($0)")) }
        return inspector
    }

    /// Writes the listing of a disk.
    ///
    /// - Throws: `drift.no-file-system`, `drift.walk-failed`, `drift.listing-damaged`, `drift.replay-failed`, `tool.…`,
    ///   `disk.…`.
    public func writeListing(of disk: String, format: DiskFormat, to path: String) async throws {
        try await withRoot(of: disk, format) { try await walk($0, .list(below: []), to: path) }
        // Whoever reads it has to understand it, so this is where a fault shows.
        _ = try RootListing(try Data(contentsOf: URL(fileURLWithPath: path)), of: disk)
    }

    /// Writes an archive of a disk.
    ///
    /// - Throws: `root.damaged`, `disk.full`, and as ``writeListing(of:format:to:)``.
    public func archive(of disk: String, format: DiskFormat, to path: String) async throws {
        try await withRoot(of: disk, format) { try await walk($0, .archive, to: path) }
        do {
            try await BlockingWork.run { try RootInspector.requireArchive(path, of: disk) }
        } catch {
            unlink(path)
            throw error
        }
    }

    /// Clamps the times of a new file system.
    ///
    /// - Throws: `drift.no-file-system`, `drift.walk-failed`.
    public func clampTimes(of disk: String, to epoch: Int) async throws {
        try await walk(disk, .clampTimes(to: Int64(epoch)))
    }

    /// Copies a root's own layer.
    ///
    /// - Throws: `drift.copy-torn`, `disk.refused`, `disk.full`, `tool.…`.
    public func copy(_ overlay: String) async throws -> RootCopy {
        let folder = try await scratch.make()
        let copy = folder + "/root.qcow2"
        do {
            try await Command("cp", ["--sparse=always", "--reflink=auto", "--", overlay, copy]).run()
            guard chmod(copy, 0o600) == 0 else { throw failed("make private", copy) }
            try owner?.give(copy)
            _ = try QCOW2Header(of: copy)
            try await requireWhole(copy)
            return RootCopy(directory: folder, allocated: allocated(copy))
        } catch {
            scratch.remove(folder)
            throw error
        }
    }

    /// The listing of a copied root.
    ///
    /// - Throws: `drift.size-changed`, `drift.no-file-system`, `drift.walk-failed`, `drift.replay-failed`,
    ///   `drift.listing-damaged`, `tool.…`.
    public func listing(
        of copy: RootCopy,
        over disk: String,
        size: ByteCount?,
        below paths: [RootPath]
    ) async throws -> RootListing {
        let raw = try await rawDisk(of: copy, over: disk, size)
        let list = copy.directory + "/paths"
        try await walk(raw, .list(below: paths), to: list)
        return try RootListing(try Data(contentsOf: URL(fileURLWithPath: list), options: .mappedIfSafe), of: "the root")
    }

    /// The content of a file of a copied root.
    ///
    /// - Throws: `root.no-file`, `root.too-large`, and as ``listing(of:over:size:below:)``.
    public func content(
        of path: RootPath,
        in copy: RootCopy,
        over disk: String,
        size: ByteCount?,
        limit: Int
    ) async throws -> [UInt8] {
        let raw = try await rawDisk(of: copy, over: disk, size)
        let content = copy.directory + "/content"
        try await walk(raw, .read(path, limit: limit), to: content)
        return Array(try Data(contentsOf: URL(fileURLWithPath: content)))
    }

    // What the root is with its journal applied, as one raw disk beside the copy.
    private func rawDisk(of copy: RootCopy, over disk: String, _ size: ByteCount?) async throws -> String {
        let overlay = copy.directory + "/root.qcow2"
        try RootInspector.requireSize(size, of: overlay, over: disk)
        let raw = copy.directory + "/raw"
        // The guest's own table: it may have enlarged the partition.
        try await unpack(try await rootChain(of: DiskChain(overlay, over: disk)), to: raw)
        return raw
    }

    // The layer's header may be the word of a guest that broke out of its machine; how large it was made is known.
    private static func requireSize(_ size: ByteCount?, of overlay: String, over disk: String) throws {
        let image = try QCOW2Header(of: disk).virtualSize
        // As qemu-img rounds it.
        let made = size.map { ByteCount(bytes: ($0.bytes + 511) / 512 * 512) } ?? image
        let (expected, found) = (max(made, image), try QCOW2Header(of: overlay).virtualSize)
        guard found != expected else { return }
        throw KilnError(
            .driftSizeChanged,
            "the root's layer on \(disk) has a size of \(found), and was made with \(expected)",
            hint: "a root does not change its size; 'kiln replace' gives a server a new one",
            exit: .unmet
        )
    }

    /// Gives `body` the root file system of a disk as a raw one; what is made for it is removed afterwards.
    private func withRoot(
        of disk: String,
        _ format: DiskFormat,
        _ body: (String) async throws -> Void
    ) async throws {
        let chain = format == .qcow2 ? try await rootChain(of: DiskChain(disk)) : nil
        let folder = try await scratch.make()
        defer { scratch.remove(folder) }
        guard let chain else { return try await body(disk) }
        try await unpack(chain, to: folder + "/raw")
        try await body(folder + "/raw")
    }

    /// Removes a copy.
    public func discard(_ copy: RootCopy) { scratch.remove(copy.directory) }

    /// Removes the copies that processes left which are gone.
    public func removeAbandoned(dryRun: Bool) -> [String] { scratch.removeAbandoned(dryRun: dryRun) }

    /// The sha256 of some bytes.
    public func digest(_ bytes: [UInt8]) -> String { SHA256.hash(data: bytes).hexadecimal }

    // MARK: - Programs

    /// Makes a raw disk of a file system, with what its journal holds applied.
    private func unpack(_ chain: DiskChain, to raw: String) async throws {
        try reserve(raw)
        try await requireRoom(for: chain, in: DurableFile.directory(of: raw))
        try await asMachines(
            "qemu-img",
            ["convert", "-q", "-m", "4", "-W", "-O", "raw", "--", try chain.description(), raw]
        ).run()
        if try Superblock(of: raw)?.needsRecovery == true { try await replayJournal(raw) }
    }

    // The user of the machines can write a file of its own in a scratch directory, and make none.
    private func reserve(_ path: String) throws {
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw failed("make", path) }
        close(file)
        try owner?.give(path)
    }

    private func requireWhole(_ copy: String) async throws {
        let found = try await asMachines("qemu-img", ["check", "-q", "--", try DiskChain(copy).description()]).result()
        // 3: clusters that nobody uses, which is what a copy of a layer in use may well have.
        guard found.status == 0 || found.status == 3 else {
            throw KilnError(
                .driftCopyTorn,
                "the copy of a root's layer is not whole: qemu-img check ended with \(found.status)",
                hint: "try again when the guest writes less, or stop the server first",
                cause: Printable.text(found.errors)
            )
        }
    }

    private func replayJournal(_ raw: String) async throws {
        // Answers are given beforehand; 1 says that something was done.
        let found = try await asMachines("e2fsck", ["-p", "-E", "journal_only", "--", raw]).result()
        guard found.status == 0 || found.status == 1 else {
            throw KilnError(
                .driftReplayFailed,
                "the journal of the root can't be replayed: e2fsck ended with \(found.status)",
                hint: "the file system is damaged; 'kiln replace' gives a server a new one",
                cause: Printable.text(found.errors + found.output),
                exit: .unmet
            )
        }
    }

    /// What reads hostile input runs as the user whom a guest that broke out would be.
    func asMachines(_ program: String, _ arguments: [String]) -> Command {
        Command(program, arguments, deadline: .seconds(600), limits: .diskImage, user: owner?.identity)
    }

    func failed(_ doing: String, _ path: String) -> KilnError {
        KilnError(.driftScratchFailed, "can't \(doing) \(path)", cause: String(cString: strerror(errno)))
    }

    private func allocated(_ path: String) -> ByteCount {
        var found = stat()
        return ByteCount(bytes: stat(path, &found) == 0 ? UInt64(found.st_blocks) * 512 : 0)
    }
}
