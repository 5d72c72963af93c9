import Foundation
import Glibc
import KilnEngine
import KilnModel
import KilnSystem
import Testing

@testable import KilnHost

/// The real tools on layers of a volume.
@Suite("Layers of a volume")
struct VolumeDiskTests {
    private let directory: TestDirectory
    private let tool = QEMUDiskTool(owner: nil)
    private let mark = VolumeMark()

    init() throws { directory = try TestDirectory() }

    private func path(_ name: String) -> String { directory.path + "/" + name }

    private func write(_ pattern: String, at offset: String, _ length: String, in file: String) async throws {
        try await Command("qemu-io", ["-f", "qcow2", "-c", "write -P \(pattern) \(offset) \(length)", path(file)]).run()
    }

    private func makeVolume() async throws {
        try await tool.createVolume(
            at: path("1.qcow2"),
            size: .mebibytes(32),
            fileSystem: .ext4,
            label: "data",
            mark: mark
        )
        try await tool.createLayer(at: path("2.qcow2"), over: "1.qcow2")
    }

    /// Overwrites a big-endian number in a file.
    private func patch(_ name: String, _ offset: Int, _ bytes: [UInt8]) throws {
        let file = try #require(FileHandle(forWritingAtPath: path(name)))
        try file.seek(toOffset: UInt64(offset))
        try file.write(contentsOf: Data(bytes))
        try file.close()
    }

    @Test("a layer that is what it was is accepted with its size, over the one below it and over nothing else")
    func examines() async throws {
        try await makeVolume()
        #expect(try tool.examineLayer(path("1.qcow2"), over: nil) == .mebibytes(32))
        #expect(try tool.examineLayer(path("2.qcow2"), over: "1.qcow2") == .mebibytes(32))
        for (file, backing) in [("1.qcow2", "0.qcow2"), ("2.qcow2", nil), ("2.qcow2", "3.qcow2")] {
            let error = #expect(throws: KilnError.self) { try tool.examineLayer(path(file), over: backing) }
            #expect(error?.code == .diskRefused)
        }
    }

    @Test(
        "a damaged header is refused before any tool sees it",
        arguments: [
            (0, [0x00]), (4, [0, 0, 0, 9]), (20, [0, 0, 0, 40]), (24, [0xff]), (32, [0, 0, 0, 1]), (40, [0x7f]),
            (60, [0, 0, 0, 1]), (72, [0, 0, 0, 0, 0, 0, 0, 2]), (72, [0, 0, 0, 0, 0, 0, 0, 4]),
            (72, [0x80]), (16, [0x7f]), (8, [0x7f]), (100, [0, 0, 0, 1]),
        ] as [(Int, [UInt8])]
    )
    func damagedHeader(_ offset: Int, _ bytes: [UInt8]) async throws {
        try await makeVolume()
        try patch("2.qcow2", offset, bytes)
        let error = #expect(throws: KilnError.self) { try tool.examineLayer(path("2.qcow2"), over: "1.qcow2") }
        #expect(error?.code == .diskRefused)
    }

    @Test("what is no regular file, or cut off, is refused without waiting for it")
    func oddFiles() async throws {
        try await makeVolume()
        symlink(path("1.qcow2"), path("link"))
        mkfifo(path("fifo"), 0o600)
        try Data().write(to: URL(fileURLWithPath: path("empty")))
        try #require(truncate(path("1.qcow2"), 70_000) == 0)
        for name in ["link", "fifo", "empty", "none", ".", "1.qcow2"] {
            let error = #expect(throws: KilnError.self) { try tool.examineLayer(path(name), over: nil) }
            #expect(error?.code == .diskRefused, "\(name)")
        }
    }

    @Test("a sound file system is clean, a damaged one comes with e2fsck's words, and a repair is a small layer")
    func checksAndRepairs() async throws {
        try await makeVolume()
        #expect(try await tool.checkFileSystem(.ext4, of: path("2.qcow2")) == .clean)
        // Descriptors, bitmaps and inodes of the first block group; superblock and its copies stay.
        try await write("0x5a", at: "2k", "300k", in: "2.qcow2")
        let finding = try await tool.checkFileSystem(.ext4, of: path("2.qcow2"))
        guard case .damaged(let words) = finding else {
            Issue.record("\(finding)")
            return
        }
        #expect(!words.isEmpty)
        let before = FileManager.default.contents(atPath: path("2.qcow2"))
        try await tool.repairFileSystem(.ext4, of: path("2.qcow2"), into: path("3.qcow2"))
        #expect(try await tool.checkFileSystem(.ext4, of: path("3.qcow2")) == .clean)
        #expect(try tool.examineLayer(path("3.qcow2"), over: "2.qcow2") == .mebibytes(32))
        #expect(FileManager.default.contents(atPath: path("2.qcow2")) == before)
        #expect(directory.names.allSatisfy { $0.hasSuffix(".qcow2") })
    }

    @Test("a grown volume has a larger file system over the same layers, and its content")
    func grows() async throws {
        try await makeVolume()
        try await tool.growFileSystem(.ext4, of: path("2.qcow2"), to: .mebibytes(96), into: path("3.qcow2"))
        #expect(try tool.examineLayer(path("3.qcow2"), over: "2.qcow2") == .mebibytes(96))
        #expect(try await tool.checkFileSystem(.ext4, of: path("3.qcow2")) == .clean)
        try await tool.exportDisk(path("3.qcow2"), to: path("raw"), as: .raw)
        let described = try await Command("dumpe2fs", ["-h", path("raw")]).run().text
        #expect(described.contains("Block count:              98304"), "\(described)")
        #expect(directory.mode("raw") == "600")
    }

    @Test(
        "the user of the machines reaches the copy that a tool works on, and can make nothing beside it",
        .enabled(if: geteuid() == 0, "only root has machines of another user")
    )
    func copyForAnotherUser() async throws {
        chmod(directory.path, 0o755)
        let owner = try MachineOwner.current()
        let tool = QEMUDiskTool(owner: owner)
        try await makeVolume()
        try await tool.onCopy(of: path("2.qcow2"), beside: path("3.qcow2")) { raw, directory in
            let planting = "ln -s /etc/motd '\(directory)/disk' || rm -f '\(raw)'"
            let write = try await Command("sh", ["-c", "test -w '\(raw)'"], user: owner.identity).result()
            let plant = try await Command("sh", ["-c", planting], user: owner.identity).result()
            #expect(write.status == 0 && plant.status != 0)
            #expect(access(raw, F_OK) == 0)
        }
        #expect(try await tool.checkFileSystem(.ext4, of: path("2.qcow2")) == .clean)
        try await tool.repairFileSystem(.ext4, of: path("2.qcow2"), into: path("3.qcow2"))
        try await tool.growFileSystem(.ext4, of: path("3.qcow2"), to: .mebibytes(48), into: path("4.qcow2"))
        #expect(directory.mode("4.qcow2") == "600")
        #expect(directory.names == ["1.qcow2", "2.qcow2", "3.qcow2", "4.qcow2"])
    }

    @Test("an export stands alone, and what it is imported to is the same; a name that is taken is left alone")
    func transfers() async throws {
        try await makeVolume()
        for format in DiskFormat.allCases {
            let file = path("out.\(format.rawValue)")
            try await tool.exportDisk(path("2.qcow2"), to: file, as: format)
            #expect(
                try await tool.importDisk(file, to: path("in-\(format.rawValue).qcow2"), label: "data", mark: mark).size
                    == .mebibytes(32)
            )
            let error = await #expect(throws: KilnError.self) {
                try await tool.exportDisk(path("2.qcow2"), to: file, as: format)
            }
            #expect(error?.code == .diskExists)
        }
        let compared = Command(
            "qemu-img",
            ["compare", "-f", "qcow2", "-F", "qcow2", path("2.qcow2"), path("in-raw.qcow2")]
        )
        #expect(try await compared.result().status == 0)
    }

    @Test("an import takes the volume's label, and keeps the UUID and the file as they are")
    func label() async throws {
        let id = "01234567-89ab-cdef-0123-456789abcdef"
        let file = path("root")
        try await Command("mke2fs", ["-q", "-F", "-t", "ext4", "-L", "cloudimg-rootfs", "-U", id, file, "8M"]).run()
        let before = try Data(contentsOf: URL(fileURLWithPath: file))
        let found = try await tool.importDisk(file, to: path("in.qcow2"), label: "kiln:data", mark: mark)
        #expect(found.label == "cloudimg-rootfs" && found.identity == UUID(uuidString: id))
        #expect(try Data(contentsOf: URL(fileURLWithPath: file)) == before)
        try await tool.exportDisk(path("in.qcow2"), to: path("out"), as: .raw)
        let superblock = try #require(try Superblock(of: path("out")))
        #expect(superblock.label == "kiln:data" && superblock.identity == found.identity)
        #expect(try await tool.mark(of: path("in.qcow2")) == .mark(mark))
        #expect(try await tool.checkFileSystem(.ext4, of: path("in.qcow2")) == .clean)
    }

    @Test("what needs another file, or holds no sound ext4, is not imported, and nothing is left")
    func refusesImports() async throws {
        try await makeVolume()
        try Data(repeating: 7, count: 1 << 20).write(to: URL(fileURLWithPath: path("junk")))
        try Data(repeating: 7, count: 1000).write(to: URL(fileURLWithPath: path("odd")))
        try await Command("mke2fs", ["-q", "-F", "-t", "ext2", path("ext2"), "8M"]).run()
        let before = directory.names
        for (name, code) in [
            ("2.qcow2", "disk.refused"), ("junk", "disk.not-ext4"), ("odd", "disk.refused"), ("ext2", "disk.not-ext4"),
            ("none", "disk.refused"), (".", "disk.refused"),
        ] as [(String, ErrorCode)] {
            let error = await #expect(throws: KilnError.self) {
                try await tool.importDisk(path(name), to: path("new.qcow2"), label: "data", mark: VolumeMark())
            }
            #expect(error?.code == code, "\(name)")
        }
        #expect(directory.names == before)
    }

    @Test("a disk of another format is named for what it is")
    func foreign() async throws {
        try await makeVolume()
        try await Command("qemu-img", ["convert", "-O", "vmdk", path("1.qcow2"), path("disk.vmdk")]).run()
        var packed = Data([0x1f, 0x8b])
        packed.append(Data(count: 510))
        try packed.write(to: URL(fileURLWithPath: path("disk.gz")))
        for (name, what, step) in [
            ("disk.vmdk", "a VMDK disk", "-f vmdk"), ("disk.gz", "packed with gzip", "gzip -dk"),
        ] {
            let error = await #expect(throws: KilnError.self) {
                try await tool.importDisk(path(name), to: path("new.qcow2"), label: "data", mark: mark)
            }
            #expect(error?.code == .diskRefused && error?.message.contains(what) == true, "\(name)")
            #expect(error?.hint?.contains(step) == true)
        }
    }

    @Test("a disk that fills up half-way is called so, and nothing is left of an export", .enabled(if: geteuid() == 0))
    func fullDisk() async throws {
        try await makeVolume()
        try await write("0x5a", at: "16M", "4M", in: "2.qcow2")
        let mount = path("full")
        try FileManager.default.createDirectory(atPath: mount, withIntermediateDirectories: false)
        try await Command("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", mount]).run()
        let error = await #expect(throws: KilnError.self) {
            try await tool.exportDisk(path("2.qcow2"), to: mount + "/out", as: .raw)
        }
        #expect(error?.code == .diskFull)
        #expect(try FileManager.default.contentsOfDirectory(atPath: mount).isEmpty)
        try await Command("umount", [mount]).run()
    }
}
