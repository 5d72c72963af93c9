import Foundation
import Glibc
import KilnEngine
import KilnModel
import KilnSystem

/// ext4, by the programs of e2fsprogs.
struct Ext4Tool: FileSystemTool {
    /// Whom the programs run as.
    let owner: MachineOwner?

    func make(on raw: String, label: String) async throws {
        // Initialised completely here, where it costs nothing on a sparse file: a lazy initialisation would keep every new
        // guest busy and write into the volume behind its back.
        let extended = "root_owner=0:0,lazy_itable_init=0,lazy_journal_init=0"
        // A label has 16 bytes.
        let label = String(decoding: label.utf8.prefix(16), as: UTF8.self)
        try await Command(
            "mke2fs",
            ["-F", "-q", "-t", "ext4", "-L", label, "-E", extended, "--", raw],
            deadline: .seconds(600)
        ).run(writing: raw)
    }

    func rename(_ raw: String, to label: String) async throws {
        _ = try await run("tune2fs", ["-L", label, raw], accepting: 0...0)
    }

    /// What e2fsck finds once the journal was replayed and inodes without a name were released, as the next mount does.
    func check(_ raw: String) async throws -> FileSystemFinding {
        let isPending = try Superblock(of: raw).map { $0.needsRecovery || $0.mayHoldOrphans } ?? false
        let replay = try await run("e2fsck", ["-E", "journal_only", "-p", raw], accepting: 0...15)
        let check = try await run("e2fsck", ["-f", "-n", raw], accepting: 0...15)
        if let newer = Ext4Tool.unknownFeatures(check) { return newer }
        guard replay.status <= 1 else { return .damaged(Ext4Tool.words(check.status == 0 ? replay : check)) }
        if check.status == 0 { return isPending ? .replayed : .clean }
        return try await hasOrphansOnly(raw) ? .replayed : .damaged(Ext4Tool.words(check))
    }

    func repair(_ raw: String) async throws {
        // 1 and 2: errors were corrected.
        _ = try await run("e2fsck", ["-f", "-y", raw], accepting: 0...15)
    }

    func limit(of raw: String) throws -> FileSystemLimit {
        try Superblock(of: raw)?.limit ?? FileSystemLimit(size: QCOW2Header.largest, reason: "no disk is larger")
    }

    func grow(_ raw: String) async throws {
        // resize2fs wants a file system that was just checked; it was found sound, so this does what a mount would.
        let check = try await run("e2fsck", ["-f", "-p", raw], accepting: 0...15)
        guard check.status <= 1 else { throw notGrown("e2fsck", check, raw) }
        let resize = try await run("resize2fs", [raw], accepting: 0...255)
        guard resize.status == 0 else { throw notGrown("resize2fs", resize, raw) }
    }

    private func notGrown(_ program: String, _ output: Command.Output, _ raw: String) -> KilnError {
        let cause = Printable.text(output.errors + output.output)
        return FreeSpace.shortage(for: raw, cause: cause)
            ?? KilnError(
                .diskNotGrown,
                "\(program) refuses to enlarge the file system, which stays as it is",
                hint: "make a new volume of that size, and copy the data in a guest",
                cause: cause,
                exit: .aborted
            )
    }

    private static let patience = Duration.seconds(1_800)

    private func run(
        _ program: String,
        _ arguments: [String],
        accepting statuses: ClosedRange<Int32>
    ) async throws -> Command.Output {
        let command = Command(
            program,
            arguments,
            deadline: Ext4Tool.patience,
            limits: .diskImage,
            user: owner?.identity
        )
        let output = try await command.result()
        // 8 of e2fsck: it could not do its work. Where there is no space for that, it tells nothing of the file system.
        let isUndone = program == "e2fsck" && output.status & 8 != 0
        if isUndone, let full = FreeSpace.shortage(for: arguments.last ?? "", cause: command.failure(output).cause) {
            throw full
        }
        guard statuses.contains(output.status) else {
            throw command.failure(output, writing: arguments.last ?? "")
        }
        return output
    }
}

extension Ext4Tool {
    /// What e2fsck has to say of the file of inodes that were deleted while open (orphan_file), of its flag, which is set as
    /// long as the file system is mounted, and of the free counts, which e2fsck leaves wrong after it read that file.
    ///
    /// Each mount empties the file, clears the flag and counts anew.
    private static let ofOrphans = ["0x05000e", "0x050010", "0x060009", "0x06000c", "0x06000d"]

    /// Whether all that is wrong with a file system lies in the file of orphans, whose inodes were released.
    ///
    /// A file of orphans that no mount would accept makes e2fsck take back the mark of a sound file system.
    private func hasOrphansOnly(_ raw: String) async throws -> Bool {
        guard let superblock = try Superblock(of: raw), superblock.mayHoldOrphans, superblock.isMarkedSound else {
            return false
        }
        let settings = Ext4Tool.ofOrphans.map { "\t\($0) = {\n\t\tno_ok = true\n\t}\n" }.joined()
        let file = raw + ".e2fsck"
        try DurableFile.write(Data("[problems]\n\(settings)".utf8), to: file, mode: 0o644)
        let check = try await run("env", ["E2FSCK_CONFIG=\(file)", "e2fsck", "-f", "-n", raw], accepting: 0...15)
        return check.status == 0
    }

    /// The features that keep e2fsck from looking at a file system at all.
    ///
    /// Only its words tell: which features it knows is nowhere else to be had.
    private static func unknownFeatures(_ output: Command.Output) -> FileSystemFinding? {
        // 8: it could not do its work; with 4 where it left a mark of that.
        guard output.status & 8 != 0 else { return nil }
        let lines = Printable.text(output.errors, limit: 8_000).split(whereSeparator: \.isNewline)
        for line in lines {
            guard let words = line.range(of: " has unsupported feature(s): ") else { continue }
            let features = line[words.upperBound...].split(separator: " ").prefix(20).map(String.init)
            let version = lines.first { $0.hasPrefix("e2fsck ") }?.split(separator: " ").prefix(2)
            return .newer(features: features, than: version?.joined(separator: " ") ?? "e2fsck")
        }
        return nil
    }

    /// The first lines that e2fsck wrote, without its banners; their text comes from a guest's disk.
    private static func words(_ output: Command.Output) -> [String] {
        let said = output.output.isEmpty ? output.errors : output.output
        let lines = Printable.text(said.prefix(8_000), limit: 8_000).split(whereSeparator: \.isNewline)
        let news = lines.map { String($0.prefix(200)) }.filter { !$0.hasPrefix("e2fsck ") && !$0.hasPrefix("Pass ") }
        return Array(news.prefix(10))
    }
}
