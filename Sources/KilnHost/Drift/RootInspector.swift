import Crypto
import Foundation
import Glibc
import KilnEngine
import KilnModel
import KilnSystem

/// Looks at roots with qemu-img, e2fsck and ``RootWalk``, each as the user who runs machines.
public struct RootInspector: RootInspection {
    let scratch: ScratchDirectory
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

    /// Writes the listing of a disk.
    ///
    /// - Throws: `drift.no-file-system`, `drift.walk-failed`, `drift.listing-damaged`, `tool.…`, `disk.…`.
    public func writeListing(of disk: String, format: DiskFormat, to path: String) async throws {
        if format == .qcow2 { try await requireFileSystem(on: disk) }
        let folder = try scratch.make()
        defer { scratch.remove(folder) }
        var raw = disk
        if format == .qcow2 {
            raw = folder + "/raw"
            try reserve(raw)
            try await convert(DiskChain(disk), to: raw)
        }
        try await walk(raw, .list(below: []), to: path)
        // Whoever reads it has to understand it, so this is where a fault shows.
        _ = try RootListing(try Data(contentsOf: URL(fileURLWithPath: path)), of: disk)
    }

    /// Copies a root's own layer.
    ///
    /// - Throws: `drift.copy-torn`, `disk.refused`, `disk.full`, `tool.…`.
    public func copy(_ overlay: String) async throws -> RootCopy {
        let folder = try scratch.make()
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
    /// - Throws: `drift.no-file-system`, `drift.walk-failed`, `drift.replay-failed`, `drift.listing-damaged`, `tool.…`.
    public func listing(of copy: RootCopy, over disk: String, below paths: [RootPath]) async throws -> RootListing {
        let raw = try await rawDisk(of: copy, over: disk)
        let list = copy.directory + "/paths"
        try await walk(raw, .list(below: paths), to: list)
        return try RootListing(try Data(contentsOf: URL(fileURLWithPath: list), options: .mappedIfSafe), of: "the root")
    }

    /// The content of a file of a copied root.
    ///
    /// - Throws: `root.no-file`, `root.too-large`, and as ``listing(of:over:below:)``.
    public func content(of path: RootPath, in copy: RootCopy, over disk: String, limit: Int) async throws -> [UInt8] {
        let raw = try await rawDisk(of: copy, over: disk)
        let content = copy.directory + "/content"
        try await walk(raw, .read(path, limit: limit), to: content)
        return Array(try Data(contentsOf: URL(fileURLWithPath: content)))
    }

    // What the root is with its journal applied, as one raw disk beside the copy.
    private func rawDisk(of copy: RootCopy, over disk: String) async throws -> String {
        let overlay = copy.directory + "/root.qcow2"
        // Both are a header's word; the layer's may be the word of a guest that broke out of its machine.
        guard try QCOW2Header(of: overlay).virtualSize == QCOW2Header(of: disk).virtualSize else {
            throw KilnError(.driftSizeChanged, "the root's layer and its image \(disk) differ in size", exit: .unmet)
        }
        let raw = copy.directory + "/raw"
        try reserve(raw)
        try await convert(DiskChain(overlay, over: disk), to: raw)
        try await replayJournal(raw)
        return raw
    }

    /// Removes a copy.
    public func discard(_ copy: RootCopy) { scratch.remove(copy.directory) }

    /// Removes the copies that processes left which are gone.
    public func removeAbandoned(dryRun: Bool) -> [String] { scratch.removeAbandoned(dryRun: dryRun) }

    /// The sha256 of some bytes.
    public func digest(_ bytes: [UInt8]) -> String { SHA256.hash(data: bytes).hexadecimal }

    // MARK: - Programs

    // The user of the machines can write a file of its own in a scratch directory, and make none.
    private func reserve(_ path: String) throws {
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw failed("make", path) }
        close(file)
        try owner?.give(path)
    }

    private func convert(_ chain: DiskChain, to raw: String) async throws {
        try await requireRoom(for: chain, in: DurableFile.directory(of: raw))
        try await asMachines(
            "qemu-img",
            ["convert", "-q", "-m", "4", "-W", "-O", "raw", "--", try chain.description(), raw]
        ).run()
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
                hint: "the guest's file system is damaged; 'kiln replace' gives the server a new one",
                cause: Printable.text(found.errors + found.output),
                exit: .unmet
            )
        }
    }

    /// What reads hostile input runs as the user whom a guest that broke out would be.
    func asMachines(_ program: String, _ arguments: [String]) -> Command {
        Command(program, arguments, deadline: .seconds(600), limits: .diskImage, user: owner?.identity)
    }

    private func walk(_ raw: String, _ request: RootWalk.Request, to path: String) async throws {
        let input = open(raw, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard input >= 0 else { throw failed("open", raw) }
        defer { close(input) }
        let output = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard output >= 0 else { throw failed("make", path) }
        defer { close(output) }
        let line = RootWalk.arguments(executable: executable, user: owner?.name, request)
        let command = Command(line[0], Array(line.dropFirst()), deadline: .seconds(600))
        do {
            let walk = try await command.result(reading: input, writing: output)
            switch walk.status {
            case 0: break
            case RootWalk.noFileSystem: throw noFileSystem(raw)
            case RootWalk.noFile: throw noFile(request)
            case RootWalk.tooLarge: throw tooLarge(request)
            default: throw command.failure(walk)
            }
        } catch {
            unlink(path)
            guard let failure = error as? KilnError, [.toolFailed, .toolDeadline].contains(failure.code) else {
                throw error
            }
            throw walkFailed([failure.message, failure.cause].compactMap { $0 }.joined(separator: ": "))
        }
    }

    // MARK: - Errors

    func noFileSystem(_ disk: String) -> KilnError {
        KilnError(
            .driftNoFileSystem,
            "\(disk) holds no ext4 file system that begins where the disk begins",
            hint: "drift is found on disks without partitions, as 'kiln image bake' makes them"
        )
    }

    private func noFile(_ request: RootWalk.Request) -> KilnError {
        KilnError(
            .rootNoFile,
            "there is no regular file \(request) on the root",
            hint: "no link is followed; 'kiln drift --generation' names what lies there",
            exit: .usage
        )
    }

    private func tooLarge(_ request: RootWalk.Request) -> KilnError {
        KilnError(
            .rootTooLarge,
            "the file \(request) on the root is too large to be copied out of it",
            hint: "of a machine that runs, cut it into pieces first: 'kiln exec SERVER -- split …'",
            exit: .usage
        )
    }

    private func walkFailed(_ cause: String) -> KilnError {
        KilnError(
            .driftWalkFailed,
            "a root file system could not be listed",
            hint: "its file system may be damaged; 'kiln replace' gives a server a new one",
            cause: cause
        )
    }

    private func failed(_ doing: String, _ path: String) -> KilnError {
        KilnError(.driftScratchFailed, "can't \(doing) \(path)", cause: String(cString: strerror(errno)))
    }

    private func allocated(_ path: String) -> ByteCount {
        var found = stat()
        return ByteCount(bytes: stat(path, &found) == 0 ? UInt64(found.st_blocks) * 512 : 0)
    }
}
