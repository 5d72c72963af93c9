import Foundation
import Glibc
import KilnEngine
import KilnModel
import KilnSystem

extension QEMUDiskTool {
    /// Judges a layer; see `DiskTool`.
    ///
    /// - Throws: `disk.refused`.
    public func examineLayer(_ path: String, over backing: String?) throws -> ByteCount {
        let header = try QCOW2Header(of: path)
        guard header.backing == backing else {
            throw KilnError(
                "disk.refused",
                "\(path) stands on \(header.backing.map { Name.quoted($0) } ?? "nothing"), expected "
                    + (backing.map { Name.quoted($0) } ?? "nothing"),
                exit: .invalidFile
            )
        }
        return header.virtualSize
    }

    /// Checks the ext4 file system on a private raw copy: a file system is hostile input, which the host's kernel never
    /// mounts.
    ///
    /// - Throws: `disk.full`, `tool.missing`, `tool.failed`, `tool.deadline`.
    public func checkFileSystem(of disk: String) async throws -> FileSystemFinding {
        try await onCopy(of: disk, beside: disk) { raw, _ in try await examine(raw) }
    }

    /// Repairs the file system on a private copy; the layer holds what that changed.
    ///
    /// - Throws: `disk.beyond-repair`, `disk.exists`, `disk.full`, `tool.…`.
    public func repairFileSystem(of disk: String, into layer: String) async throws {
        try await edited(disk, into: layer) { raw in
            // 1 and 2: errors were corrected.
            _ = try await fileSystemTool("e2fsck", ["-f", "-y", raw], accepting: 0...7)
            guard case .damaged(let words) = try await examine(raw) else { return nil }
            throw KilnError(
                "disk.beyond-repair",
                "e2fsck could not repair the file system on \(disk)",
                hint: "return to a snapshot, or look at a copy: 'kiln volume export'",
                cause: words.joined(separator: "; "),
                exit: .unmet
            )
        }
    }

    /// Enlarges disk and file system on a private copy; the layer holds what that changed.
    ///
    /// - Throws: `disk.not-sound`, `disk.exists`, `disk.full`, `tool.…`.
    public func growFileSystem(of disk: String, to size: ByteCount, into layer: String) async throws {
        try await edited(disk, into: layer) { raw in
            // resize2fs wants a file system that was just checked.
            let checked = try await fileSystemTool("e2fsck", ["-f", "-p", raw], accepting: 0...7)
            guard checked.status <= 1 else {
                throw KilnError(
                    "disk.not-sound",
                    "the file system on \(disk) is damaged and can't be enlarged",
                    hint: "repair it first: 'kiln volume check --repair'",
                    cause: QEMUDiskTool.words(checked).joined(separator: "; "),
                    exit: .aborted
                )
            }
            guard let length = Int(exactly: size.bytes), truncate(raw, length) == 0 else {
                throw KilnError("disk.not-made", "a disk of \(size) can't be made", exit: .aborted)
            }
            try await fileSystemTool("resize2fs", [raw], accepting: 0...0)
            return size
        }
    }

    /// What e2fsck finds on a raw copy, whose journal is replayed before.
    func examine(_ raw: String) async throws -> FileSystemFinding {
        let isPending = try Superblock(of: raw)?.needsRecovery ?? false
        let replay = try await fileSystemTool("e2fsck", ["-E", "journal_only", "-p", raw], accepting: 0...15)
        let check = try await fileSystemTool("e2fsck", ["-f", "-n", raw], accepting: 0...15)
        guard replay.status <= 1, check.status == 0 else {
            return .damaged(QEMUDiskTool.words(check.status == 0 ? replay : check))
        }
        return isPending ? .replayed : .clean
    }

    /// Gives `body` a private raw copy of a disk, which is the machines' user's, and the directory that it lies in, which is
    /// not: what else is made there is nobody's to lead elsewhere.
    func onCopy<Result>(
        of disk: String,
        beside path: String,
        format: DiskFormat = .qcow2,
        _ body: (_ raw: String, _ directory: String) async throws -> Result
    ) async throws -> Result {
        try await explainingFullDisk(at: path) {
            try await DurableFile.withPrivateDirectory(beside: path) { directory in
                let raw = directory + "/raw"
                try await qemuImg(["convert", "-q", "-f", format.rawValue, "-O", "raw", "--", disk, raw])
                chmod(raw, 0o600)
                try giveToMachines(raw)
                try owner?.letThrough(directory)
                return try await body(raw, directory)
            }
        }
    }

    /// Makes a layer over a disk from what `edit` changes on a private copy of it.
    ///
    /// - Parameter edit: returns the new size, or nothing where that stays.
    private func edited(
        _ disk: String,
        into layer: String,
        _ edit: (_ raw: String) async throws -> ByteCount?
    ) async throws {
        try refuseExisting(layer)
        try await onCopy(of: disk, beside: layer) { raw, directory in
            let size = try await edit(raw) ?? QCOW2Header(of: disk).virtualSize
            let draft = directory + "/disk"
            try await qemuImg([
                "create", "-q", "-f", "qcow2", "-b", raw, "-F", "raw", "--", draft, String(size.bytes),
            ])
            // Moving an empty layer from the copy to the original writes down in it what differs between the two.
            try await qemuImg(["rebase", "-q", "-f", "qcow2", "-b", disk, "-F", "qcow2", "--", draft])
            let name = (disk as NSString).lastPathComponent
            try await qemuImg(["rebase", "-q", "-u", "-f", "qcow2", "-b", name, "-F", "qcow2", "--", draft])
            chmod(draft, 0o600)
            try DurableFile.publish(draft, as: layer)
        }
    }

    /// Runs a program on a file system as the user who runs machines, since its content may be crafted.
    @discardableResult
    private func fileSystemTool(
        _ program: String,
        _ arguments: [String],
        accepting statuses: ClosedRange<Int32>
    ) async throws -> Command.Output {
        let command = Command(program, arguments, deadline: .seconds(1_800), limits: .diskImage, user: owner?.identity)
        let output = try await command.result()
        guard statuses.contains(output.status) else { throw command.failure(output) }
        return output
    }

    /// The first lines that e2fsck wrote, without its banners; their text comes from a guest's disk.
    static func words(_ output: Command.Output) -> [String] {
        let said = output.output.isEmpty ? output.errors : output.output
        let lines = Printable.text(said.prefix(8_000), limit: 8_000).split(whereSeparator: \.isNewline)
        let news = lines.map { String($0.prefix(200)) }.filter { !$0.hasPrefix("e2fsck ") && !$0.hasPrefix("Pass ") }
        return Array(news.prefix(10))
    }
}

/// What is needed of the superblock of ext4: https://docs.kernel.org/filesystems/ext4/globals.html.
struct Superblock: Sendable, Hashable {
    /// Whether the journal holds changes that are not yet in their places.
    let needsRecovery: Bool
    /// Whether files are kept as extents, as ext4 does and its predecessors didn't.
    let hasExtents: Bool

    /// Reads it from a raw disk; nothing where there is none.
    init?(of path: String) throws {
        let bytes = try HeaderBytes(path).bytes
        guard bytes.count >= 2048, bytes[1080] == 0x53, bytes[1081] == 0xef else { return nil }
        let incompatible = bytes[1120..<1124].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        needsRecovery = incompatible & 0x4 != 0
        hasExtents = incompatible & 0x40 != 0
    }
}
