import Foundation
import Glibc
import KilnEngine
import KilnModel
import KilnSystem
import Testing

@testable import KilnHost

/// The real programs on file systems as others make them.
@Suite("File systems of volumes")
struct FileSystemTests {
    private let directory: TestDirectory
    private let disks = QEMUDiskTool(owner: nil)
    private let tool = VolumeSpec.FileSystem.ext4.tool(as: nil)

    init() throws { directory = try TestDirectory() }

    private func path(_ name: String) -> String { directory.path + "/" + name }

    /// A raw disk with a file system.
    private func make(_ name: String, _ size: String, _ options: [String] = []) async throws -> String {
        try await Command("truncate", ["-s", size, path(name)]).run()
        try await Command("mke2fs", ["-q", "-F", "-t", "ext4"] + options + [path(name)]).run()
        return path(name)
    }

    @discardableResult
    private func debugfs(_ disk: String, _ requests: String...) async throws -> String {
        try requests.map { $0 + "\n" }.joined().write(toFile: path("requests"), atomically: true, encoding: .utf8)
        return try await Command("debugfs", ["-w", "-f", path("requests"), disk]).run().text
    }

    private func patch(_ disk: String, _ offset: UInt64, _ bytes: [UInt8]) throws {
        let file = try #require(FileHandle(forWritingAtPath: disk))
        try file.seek(toOffset: offset)
        try file.write(contentsOf: Data(bytes))
        try file.close()
    }

    @Test("the flag of a mounted file system with orphan_file is no damage, and such a disk is imported")
    func orphanFlag() async throws {
        let raw = try await make("raw", "16M", ["-O", "orphan_file,metadata_csum_seed"])
        #expect(try await tool.check(raw) == .clean)
        try await debugfs(raw, "feature orphan_present")
        #expect(
            try await disks.importDisk(raw, to: path("1.qcow2"), label: "data", mark: VolumeMark()).size
                == .mebibytes(16)
        )
        #expect(try await disks.checkFileSystem(.ext4, of: path("1.qcow2")) == .replayed)
        #expect(try await tool.check(raw) == .replayed)
    }

    /// A file system whose machine lost its power with a deleted file open; its orphan file begins at the block returned.
    private func crashed(_ name: String) async throws -> (disk: String, block: UInt64) {
        let raw = try await make(name, "16M", ["-b", "4096", "-O", "orphan_file,^metadata_csum"])
        try Data(repeating: 7, count: 300_000).write(to: URL(fileURLWithPath: path("file")))
        try await debugfs(raw, "write \(path("file")) x")
        let file = try #require(try await number(after: "Inode: ", in: debugfs(raw, "stat x")))
        let described = try await Command("dumpe2fs", ["-h", raw]).run().text
        let orphans = try #require(number(after: "Orphan file inode:", in: described))
        let blocks = try await debugfs(raw, "blocks <\(orphans)>").split(whereSeparator: \.isNewline).last
        let block = try #require(blocks.flatMap { $0.split(separator: " ").first }.flatMap { UInt64($0) })
        try await debugfs(raw, "sif x links_count 0", "sif x dtime 0", "unlink x", "feature orphan_present")
        try patch(raw, block * 4096, [UInt8(file)])
        return (raw, block)
    }

    private func number(after words: String, in text: String) -> Int? {
        text.range(of: words).flatMap { Int(text[$0.upperBound...].drop { $0 == " " }.prefix { $0.isNumber }) }
    }

    @Test("files that were deleted while open, in an orphan file, are no damage; damage beside them is")
    func orphans() async throws {
        #expect(try await tool.check(try await crashed("sound").disk) == .replayed)
        let damaged = try await crashed("damaged").disk
        try await debugfs(damaged, "sif <2> links_count 9")
        let finding = try await tool.check(damaged)
        guard case .damaged(let words) = finding else {
            Issue.record("\(finding)")
            return
        }
        #expect(words.contains { $0.contains("ref count is 9") }, "\(words)")
        try await tool.repair(damaged)
        #expect(try await tool.check(damaged) == .clean)
    }

    @Test("an orphan file that no kernel would mount is damage, and is repaired")
    func damagedOrphanFile() async throws {
        let (raw, block) = try await crashed("raw")
        // The last bytes of each of its blocks are a magic number.
        try patch(raw, block * 4096 + 4088, [0, 0, 0, 0])
        #expect(try await !tool.check(raw).isSound)
        try await tool.repair(raw)
        #expect(try await tool.check(raw) == .clean)
    }

    @Test("a deleted file on the older list of orphans is no damage either")
    func orphanList() async throws {
        let raw = try await make("raw", "16M")
        try Data(repeating: 7, count: 300_000).write(to: URL(fileURLWithPath: path("file")))
        try await debugfs(raw, "write \(path("file")) x")
        let file = try #require(try await number(after: "Inode: ", in: debugfs(raw, "stat x")))
        try await debugfs(raw, "sif x links_count 0", "sif x dtime 0", "unlink x", "ssv last_orphan \(file)")
        #expect(try await tool.check(raw).isSound)
    }

    @Test(
        "features that this host's e2fsck doesn't know are named with its version, and are no damage",
        arguments: ["FEATURE_C15", "FEATURE_I20", "FEATURE_R18"]
    )
    func newer(_ feature: String) async throws {
        let raw = try await make("raw", "16M")
        try await debugfs(raw, "feature \(feature)")
        let finding = try await tool.check(raw)
        guard case .newer(let features, let program) = finding else {
            Issue.record("\(finding)")
            return
        }
        #expect(features == [feature])
        #expect(program.hasPrefix("e2fsck 1."))
        let imported = await #expect(throws: KilnError.self) {
            try await disks.importDisk(raw, to: path("1.qcow2"), label: "data", mark: VolumeMark())
        }
        #expect(imported?.code == .diskNewerFeatures && imported?.exit == .invalidFile)
        try await Command("qemu-img", ["convert", "-f", "raw", "-O", "qcow2", raw, path("1.qcow2")]).run()
        let grown = await #expect(throws: KilnError.self) {
            try await disks.growFileSystem(.ext4, of: path("1.qcow2"), to: .mebibytes(32), into: path("2.qcow2"))
        }
        let repaired = await #expect(throws: KilnError.self) {
            try await disks.repairFileSystem(.ext4, of: path("1.qcow2"), into: path("2.qcow2"))
        }
        for error in [grown, repaired] {
            #expect(error?.code == .diskNewerFeatures && error?.exit == .aborted)
            #expect(error?.message.contains(feature) == true && error?.message.contains(program) == true)
        }
        #expect(directory.names == ["1.qcow2", "raw", "requests"])
    }

    @Test("a flipped bit among the features is damage, where checksums tell it from a newer file system")
    func flippedFeature() async throws {
        let raw = try await make("raw", "16M")
        try patch(raw, 1024 + 98, [0x80])
        guard case .damaged = try await tool.check(raw) else {
            Issue.record("a wrong checksum was not seen")
            return
        }
    }
}
