import Foundation
import Glibc
import KilnEngine
import KilnModel
import KilnSystem
import Testing

@testable import KilnHost

@Suite("Disks made by qemu-img")
struct QEMUDiskToolTests {
    private let directory: TestDirectory
    private let tool = QEMUDiskTool(owner: nil)

    init() throws {
        directory = try TestDirectory()
    }

    private func path(_ name: String) -> String { directory.path + "/" + name }

    private func volume(_ name: String = "v.qcow2") async throws -> String {
        try await tool.createVolume(
            at: path(name),
            size: .mebibytes(16),
            fileSystem: .ext4,
            label: "data-of-a-long-name",
            mark: VolumeMark()
        )
        return path(name)
    }

    private struct Info: Decodable {
        let format: String
        let backing: String?
        let size: UInt64
        enum CodingKeys: String, CodingKey {
            case format
            case backing = "backing-filename"
            case size = "virtual-size"
        }
    }

    private func info(_ path: String) async throws -> Info {
        let output = try await Command("qemu-img", ["info", "-f", "qcow2", "--output=json", path]).run()
        return try JSONDecoder().decode(Info.self, from: Data(output.output))
    }

    @Test("a volume holds an ext4 file system with the first 16 bytes of its label, and nothing else is left")
    func createsVolume() async throws {
        let volume = try await volume()
        #expect(try await info(volume).size == 16 << 20)
        #expect(directory.names == ["v.qcow2"])
        #expect(directory.mode("v.qcow2") == "600")
        try await Command("qemu-img", ["convert", "-f", "qcow2", "-O", "raw", volume, path("raw")]).run()
        let label = try await Command("dumpe2fs", ["-h", path("raw")]).run().text
        #expect(label.contains("Filesystem volume name:   data-of-a-long-n\n"))
        try await Command("e2fsck", ["-fn", path("raw")]).run()
    }

    @Test("a layer may be larger than what is below it, and never is smaller")
    func createsLargerLayer() async throws {
        _ = try await volume()
        try await tool.createLayer(at: path("large.qcow2"), over: "v.qcow2", size: .mebibytes(40))
        #expect(try await info(path("large.qcow2")).size == 40 << 20)
        try await tool.createLayer(at: path("small.qcow2"), over: "v.qcow2", size: .mebibytes(8))
        #expect(try await info(path("small.qcow2")).size == 16 << 20)
    }

    @Test("a layer has the size of what is below it and names it as it was given")
    func createsLayer() async throws {
        _ = try await volume()
        try await tool.createLayer(at: path("layer.qcow2"), over: "v.qcow2")
        let info = try await info(path("layer.qcow2"))
        #expect(info.backing == "v.qcow2")
        #expect(info.size == 16 << 20)
        #expect(directory.names == ["layer.qcow2", "v.qcow2"])
    }

    @Test("an existing disk is never overwritten")
    func refusesToOverwrite() async throws {
        let volume = try await volume()
        let before = FileManager.default.contents(atPath: volume)
        let error = await #expect(throws: KilnError.self) { try await self.volume() }
        #expect(error?.code == .diskExists)
        #expect(FileManager.default.contents(atPath: volume) == before)
    }

    @Test("a layer on something that is no qcow2 file is refused, and nothing is left")
    func refusesRawBacking() async throws {
        try Data(repeating: 7, count: 4096).write(to: URL(fileURLWithPath: path("raw")))
        let error = await #expect(throws: KilnError.self) {
            try await tool.createLayer(at: path("layer"), over: path("raw"))
        }
        #expect(error?.code == .diskRefused)
        #expect(directory.names == ["raw"])
    }

    @Test("after a merge the file below reads as the layer did")
    func merges() async throws {
        let volume = try await volume()
        try await tool.createLayer(at: path("layer"), over: volume)
        try await Command("qemu-io", ["-f", "qcow2", "-c", "write -P 0x5a 8M 64k", path("layer")]).run()
        try await tool.merge(path("layer"))
        for disk in [volume, path("layer")] {
            let output = try await Command("qemu-io", ["-f", "qcow2", "-r", "-c", "read -P 0x5a 8M 64k", disk]).run()
            #expect(!output.text.contains("failed"))
        }
    }

    @Test("a layer becomes a file of its own with all that is below it, unless it stands on another file than is said")
    func flattens() async throws {
        let volume = try await volume()
        try await tool.createLayer(at: path("layer"), over: volume)
        try await Command("qemu-io", ["-f", "qcow2", "-c", "write -P 0x5a 8M 64k", path("layer")]).run()
        try await tool.flatten(path("layer"), over: volume, to: path("flat"))
        #expect(try QCOW2Header(of: path("flat")).backing == nil)
        #expect(try tool.examineLayer(path("flat"), over: nil) == tool.examineLayer(volume, over: nil))
        try await Command("qemu-img", ["compare", "-q", path("flat"), path("layer")]).run()
        let error = await #expect(throws: KilnError.self) {
            try await tool.flatten(path("layer"), over: path("other"), to: path("second"))
        }
        #expect(error?.code == .diskRefused)
        #expect(directory.names == ["flat", "layer", "v.qcow2"])
    }

    @Test("what a killed process left beside a disk is in nobody's way")
    func clearsLeftovers() async throws {
        try FileManager.default.createDirectory(atPath: path("v.qcow2.making/disk"), withIntermediateDirectories: true)
        _ = try await volume()
        #expect(directory.names == ["v.qcow2"])
    }

    @Test("what a program says of space decides nothing: it failed for want of it where there is none")
    func wordsOfPrograms() async throws {
        let liar = Command("sh", ["-c", "echo 'No space left on device' >&2; exit 1"])
        let error = await #expect(throws: KilnError.self) { try await liar.run(writing: path("v")) }
        #expect(error?.code == .toolFailed && error?.cause?.contains("No space") == true)
    }

    @Test("on a full disk only what could not write failed for that", .enabled(if: geteuid() == 0))
    func scarce() async throws {
        let mount = path("full")
        try FileManager.default.createDirectory(atPath: mount, withIntermediateDirectories: false)
        try await Command("mount", ["-t", "tmpfs", "-o", "size=256k", "tmpfs", mount]).run()
        let failed = await #expect(throws: KilnError.self) {
            try await Command("false", []).run(writing: mount + "/v")
        }
        #expect(failed?.code == .diskFull)
        for code in [ErrorCode.toolMissing, .diskRefused] {
            let error = await #expect(throws: KilnError.self) {
                try await tool.explainingFullDisk(at: mount + "/v") { throw KilnError(code, "not for want of space") }
            }
            #expect(error?.code == code)
        }
        try await Command("umount", [mount]).run()
    }

    @Test("a full disk is called so, with how much is free where, and nothing is left", .enabled(if: geteuid() == 0))
    func fullDisk() async throws {
        let mount = path("full")
        try FileManager.default.createDirectory(atPath: mount, withIntermediateDirectories: false)
        try await Command("mount", ["-t", "tmpfs", "-o", "size=256k", "tmpfs", mount]).run()
        do {
            let error = await #expect(throws: KilnError.self) {
                try await tool.createVolume(
                    at: mount + "/v",
                    size: .mebibytes(64),
                    fileSystem: .ext4,
                    label: "data",
                    mark: VolumeMark()
                )
            }
            #expect(error?.code == .diskFull)
            #expect(error?.exit == .aborted)
            #expect(error?.message.contains("0 MiB free in \(mount)") == true)
            #expect(try FileManager.default.contentsOfDirectory(atPath: mount).isEmpty)
        }
        try await Command("umount", [mount]).run()
    }
}
