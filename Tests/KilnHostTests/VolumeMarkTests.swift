import Foundation
import Glibc
import KilnEngine
import KilnModel
import KilnSystem
import Testing

@testable import KilnHost

/// The real tools on a volume with a mark.
@Suite("The mark of a volume")
struct VolumeMarkTests {
    private let directory: TestDirectory
    private let tool = QEMUDiskTool(owner: nil)
    private let mark = VolumeMark()

    init() throws { directory = try TestDirectory() }

    private func path(_ name: String) -> String { directory.path + "/" + name }

    private func makeVolume() async throws {
        try await tool.createVolume(
            at: path("1.qcow2"),
            size: .mebibytes(64),
            fileSystem: .ext4,
            label: "data",
            mark: mark
        )
    }

    /// What is found after a program has had the volume as a raw disk, some time after the volume was made: busybox leaves
    /// the mark's bytes alone, so only the file system's own time, in seconds, tells that it is another one.
    private func finding(
        after program: String,
        _ arguments: [String],
        in age: Duration = .zero
    ) async throws -> VolumeMark.Finding {
        try await makeVolume()
        try await Task.sleep(for: age)
        try await Command(
            "qemu-img",
            ["convert", "-f", "qcow2", "-O", "raw", path("1.qcow2"), path("raw")]
        ).run()
        let status = try await Command(program, arguments + [path("raw")]).result().status
        // e2fsck's 1: something was corrected.
        #expect((0...1).contains(status))
        try await Command("qemu-img", ["convert", "-f", "raw", "-O", "qcow2", path("raw"), path("2.qcow2")]).run()
        return try await tool.mark(of: path("2.qcow2"))
    }

    @Test("is on a new volume, and read through layers above it")
    func created() async throws {
        try await makeVolume()
        try await tool.createLayer(at: path("2.qcow2"), over: "1.qcow2")
        #expect(try await tool.mark(of: path("1.qcow2")) == .mark(mark))
        #expect(try await tool.mark(of: path("2.qcow2")) == .mark(mark))
        let other = VolumeMark()
        #expect(try await tool.setMark(other, of: path("2.qcow2")))
        #expect(try await tool.mark(of: path("2.qcow2")) == .mark(other))
        #expect(try await tool.mark(of: path("1.qcow2")) == .mark(mark))
        #expect(directory.names == ["1.qcow2", "2.qcow2"])
        #expect(try await tool.checkFileSystem(.ext4, of: path("2.qcow2")) == .clean)
    }

    @Test(
        "stays where a file system is checked, renamed, enlarged or given a label",
        arguments: [
            ("e2fsck", ["-f", "-y"]), ("tune2fs", ["-U", "random"]), ("tune2fs", ["-L", "other"]),
            ("resize2fs", ["-M", "-f"]),
        ] as [(String, [String])]
    )
    func kept(_ program: String, _ arguments: [String]) async throws {
        #expect(try await finding(after: program, arguments) == .mark(mark))
    }

    @Test(
        "goes where it is formatted, also with the same UUID and label",
        arguments: [
            ("mke2fs", ["-F", "-q", "-t", "ext4"]),
            ("mke2fs", ["-F", "-q", "-t", "ext4", "-U", "01234567-89ab-cdef-0123-456789abcdef", "-L", "data"]),
            ("mke2fs", ["-F", "-q", "-t", "ext2"]), ("busybox", ["mke2fs", "-F"]), ("mkswap", ["-q"]),
        ] as [(String, [String])]
    )
    func lost(_ program: String, _ arguments: [String]) async throws {
        let found = try await finding(after: program, arguments, in: .milliseconds(1_100))
        #expect(found == .none, "\(program) \(arguments)")
    }

    @Test("goes where a partition table or a member of an array takes the disk, though mark and superblock stand")
    func taken() async throws {
        let fdisk = ["-c", "printf 'o\\nn\\np\\n1\\n\\n\\nw\\n' | busybox fdisk \"$0\""]
        #expect(try await finding(after: "sh", fdisk) == .none)
        #expect(try Superblock(of: path("raw")) != nil)
        for name in ["1.qcow2", "2.qcow2", "raw"] { unlink(path(name)) }
        // The superblock of 'mdadm --create --metadata 1.2', which ext4 does not miss.
        let member = [
            "-c", "printf '\\374\\116\\053\\251\\001\\000\\000\\000' | dd of=\"$0\" bs=1 seek=4096 conv=notrunc",
        ]
        #expect(try await finding(after: "sh", member) == .none)
    }

    @Test("stays where only a boot loader wrote its sector")
    func bootSector() async throws {
        let loader = ["-c", "printf '\\125\\252' | dd of=\"$0\" bs=1 seek=510 conv=notrunc"]
        #expect(try await finding(after: "sh", loader) == .mark(mark))
    }

    @Test("is a new one in what is imported or exported")
    func transfers() async throws {
        try await makeVolume()
        for format in DiskFormat.allCases {
            let (file, layer) = (path("export-\(format)"), path("import-\(format).qcow2"))
            try await tool.exportDisk(path("1.qcow2"), to: file, as: format)
            let imported = VolumeMark()
            _ = try await tool.importDisk(file, to: layer, label: "data", mark: imported)
            #expect(try await tool.mark(of: layer) == .mark(imported))
            if format == .qcow2 {
                let exported = try await tool.mark(of: file)
                #expect(exported != .mark(mark) && exported != .none)
            }
            #expect(try await tool.checkFileSystem(.ext4, of: layer) == .clean)
        }
    }

    @Test("is read while another process has the layer open for writing")
    func whileWritten() async throws {
        try await makeVolume()
        let arguments = [
            "--blockdev", "driver=file,filename=\(path("1.qcow2")),node-name=file",
            "--blockdev", "driver=qcow2,file=file,node-name=disk", "--nbd-server",
            "addr.type=unix,addr.path=\(path("socket"))", "--export", "type=nbd,id=disk,node-name=disk,writable=on",
        ]
        let writer = Task { try await Command("qemu-storage-daemon", arguments, deadline: .seconds(30)).run() }
        let end = ContinuousClock.now + .seconds(20)
        while !FileManager.default.fileExists(atPath: path("socket")) {
            try #require(ContinuousClock.now < end, "the writer never got ready")
            try await Task.sleep(for: .milliseconds(10))
        }
        #expect(try !ProcHolderInspection().isLockObtainable(path("1.qcow2")))
        #expect(try await tool.mark(of: path("1.qcow2")) == .mark(mark))
        writer.cancel()
        _ = await writer.result
    }

    @Test("a dump is read by its bytes, not by the text beside them")
    func dump() {
        let text = "00000200:  4b 49 4c 4e 4d 41 52 4b 01 00 00 00 00 00 00 ff  41 42 43 44\nread 512/512 bytes\n"
        #expect(QEMUDiskTool.dumped(Array(text.utf8)) == Array("KILNMARK".utf8) + [1, 0, 0, 0, 0, 0, 0, 0xff])
    }
}
