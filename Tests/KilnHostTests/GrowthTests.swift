import Foundation
import Glibc
import KilnEngine
import KilnModel
import KilnSystem
import Testing

@testable import KilnHost

/// Growing with the real programs, up to the limits.
@Suite("Growing a volume")
struct GrowthTests {
    private let directory: TestDirectory
    private let disks = QEMUDiskTool(owner: nil)

    init() throws { directory = try TestDirectory() }

    private func path(_ name: String) -> String { directory.path + "/" + name }

    private func volume(_ size: String, _ options: [String] = []) async throws -> String {
        try await Command("truncate", ["-s", size, path("raw")]).run()
        try await Command("mke2fs", ["-q", "-F", "-t", "ext4"] + options + [path("raw")]).run()
        try await Command("qemu-img", ["convert", "-f", "raw", "-O", "qcow2", path("raw"), path("1.qcow2")]).run()
        return path("1.qcow2")
    }

    private func grow(to size: ByteCount) async throws {
        try await disks.growFileSystem(.ext4, of: path("1.qcow2"), to: size, into: path("2.qcow2"))
    }

    private func allocated(_ name: String) -> Int {
        var found = stat()
        return stat(path(name), &found) == 0 ? Int(found.st_blocks) * 512 : .max
    }

    @Test("a volume that holds next to nothing becomes 800 GiB in seconds and some megabytes")
    func sparse() async throws {
        _ = try await volume("1G")
        let begin = ContinuousClock.now
        try await grow(to: ByteCount(bytes: 800 << 30))
        #expect(ContinuousClock.now - begin < .seconds(100))
        #expect(try disks.examineLayer(path("2.qcow2"), over: "1.qcow2") == ByteCount(bytes: 800 << 30))
        #expect(allocated("2.qcow2") < 128 << 20)
        #expect(try await disks.checkFileSystem(.ext4, of: path("2.qcow2")) == .clean)
        #expect(directory.names == ["1.qcow2", "2.qcow2", "raw"])
    }

    /// Options of mke2fs, and the largest size.
    ///
    /// With 1024 blocks in a group of 1 KiB each, 16 descriptors of 64 bytes in a
    /// block, and 1023 blocks for them, that is 16368 MiB and one block; twice as much with descriptors of 32 bytes.
    @Test(
        "what can't be grown so far is refused with the limit, and what resize2fs can do is not",
        arguments: [
            (["-b", "1024", "-g", "1024"], 16_368, "block groups"),
            (["-b", "1024", "-g", "1024", "-O", "^64bit"], 32_736, "block groups"),
            (["-b", "1024", "-g", "1024", "-O", "meta_bg,^resize_inode"], 16_368, "block groups"),
        ] as [([String], UInt64, String)]
    )
    func limits(_ options: [String], _ most: UInt64, _ reason: String) async throws {
        _ = try await volume("32M", options)
        let beyond = ByteCount(bytes: (most + 1) << 20)
        let error = await #expect(throws: KilnError.self) { try await grow(to: beyond) }
        #expect(error?.code == .diskTooLarge && error?.exit == .usage, "\(String(describing: error))")
        #expect(error?.message.contains("\(ByteCount.mebibytes(most)) at most") == true)
        #expect(error?.message.contains(reason) == true)
        // The program's own opinion is the same.
        try #require(truncate(path("raw"), Int(beyond.bytes)) == 0)
        let refusal = try await Command("resize2fs", [path("raw")]).result()
        #expect(refusal.status == 1)
        #expect(directory.names == ["1.qcow2", "raw"])
        try await grow(to: .mebibytes(most))
        #expect(try disks.examineLayer(path("2.qcow2"), over: "1.qcow2") == .mebibytes(most))
    }

    @Test("without 64bit there are 2^32 blocks, and no disk has more than 16 TiB")
    func largest() async throws {
        let groups: UInt64 = (8192 - 1) * 16
        let cases: [([String], String, UInt64)] = [
            (["-b", "1024", "-O", "^64bit"], "64M", 2 * groups * 8192 + 1),
            (["-b", "4096", "-O", "^64bit"], "64M", 16 << 30),
            (["-b", "4096"], "64M", 16 << 30),
            (["-b", "1024"], "200M", groups * 8192 + 1),
        ]
        for (options, size, kibibytes) in cases {
            _ = try await volume(size, options)
            let found = try #require(try Superblock(of: path("raw"))?.limit)
            #expect(found.size.bytes == kibibytes / 4 * 4096, "\(options): \(found)")
            unlink(path("raw"))
            unlink(path("1.qcow2"))
        }
    }

    @Test("beyond the longest file of the host a volume is too large; what else kept its copy short is told as that")
    func longestFile() {
        func found(_ number: Int32) -> KilnError {
            QEMUDiskTool.notEnlarged("/x/raw", "/x/1.qcow2", to: ByteCount(bytes: 16 << 40), number)
        }
        #expect(found(EFBIG).code == .diskTooLarge && found(EFBIG).exit == .usage)
        #expect(found(EFBIG).message.contains("/x/1.qcow2 can't become 16TiB"))
        #expect(found(ENOSPC).code == .diskFull && found(EROFS).code == .stateNotWritable)
    }

    @Test("a refusal of the program is nobody's fault, with its words as the cause, and nothing is left")
    func refusal() async throws {
        _ = try await volume("64M", ["-b", "4096", "-O", "bigalloc"])
        let before = directory.names
        let error = await #expect(throws: KilnError.self) { try await grow(to: .mebibytes(128)) }
        #expect(error?.code == .diskNotGrown && error?.exit == .aborted)
        #expect(error?.cause?.contains("bigalloc") == true)
        #expect(directory.names == before)
    }
}
