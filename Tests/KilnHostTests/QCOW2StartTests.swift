import Foundation
import Glibc
import KilnSystem
import Testing

@testable import KilnHost

/// Against QEMU's own reader, on files that QEMU's tools wrote.
@Suite("The first bytes of a disk in a chain of files")
struct QCOW2StartTests {
    private let directory: TestDirectory

    init() throws { directory = try TestDirectory() }

    private static let count = 4608

    private func path(_ name: String) -> String { directory.path + "/" + name }

    private func make(_ layers: Int, _ options: [String] = []) async throws {
        for layer in 0..<layers {
            let below = layer == 0 ? [] : ["-b", "\(layer - 1)", "-F", "qcow2"]
            let arguments = ["create", "-q", "-f", "qcow2"] + options + below + [path("\(layer)"), "64M"]
            try await Command("qemu-img", arguments).run()
        }
    }

    private func io(_ command: String, _ layer: Int) async throws {
        try await Command("qemu-io", ["-f", "qcow2", "-c", command, path("\(layer)")]).run()
    }

    private func read(_ layer: Int) async throws -> [UInt8] {
        let arguments = ["-r", "-f", "qcow2", "-c", "read -v 0 \(QCOW2StartTests.count)", path("\(layer)")]
        return QEMUDiskTool.dumped(try await Command("qemu-io", arguments).run().output)
    }

    @Test(
        "are what QEMU reads, whichever layer was written, zeroed or discarded",
        arguments: [
            [], [(0, "write -q -P 1 0 8k")], [(0, "write -q -P 1 512 512"), (2, "write -q -P 2 1024 512")],
            [(1, "write -q -P 3 0 1M"), (2, "write -q -z 0 64k")], [(1, "write -q -P 4 32M 64k")],
            [(0, "write -q -P 5 0 64k"), (1, "write -q -z -u 0 128k")],
            [(0, "write -q -P 6 0 64k"), (0, "discard 0 64k")],
        ] as [[(Int, String)]]
    )
    func same(_ writes: [(Int, String)]) async throws {
        try await make(3)
        for (layer, command) in writes { try await io(command, layer) }
        let found = QCOW2Start.read(QCOW2StartTests.count, of: path("2"))
        #expect(try await found == read(2))
    }

    @Test(
        "are left to QEMU where a file has another form than Kiln's layers",
        arguments: [["-o", "extended_l2=on"], ["-o", "cluster_size=4096"], ["-o", "cluster_size=512"]]
    )
    func otherForms(_ options: [String]) async throws {
        try await make(2, options)
        #expect(QCOW2Start.read(QCOW2StartTests.count, of: path("1")) == nil)
    }

    @Test("are left to QEMU where they are compressed, cut off, or below what is not there")
    func incomplete() async throws {
        try await make(2)
        try await io("write -q -c -P 1 0 64k", 0)
        #expect(QCOW2Start.read(QCOW2StartTests.count, of: path("1")) == nil)
        unlink(path("0"))
        #expect(QCOW2Start.read(QCOW2StartTests.count, of: path("1")) == nil)
        try await make(1)
        try await io("write -q -P 1 0 64k", 0)
        #expect(QCOW2Start.read(QCOW2StartTests.count, of: path("1")) != nil)
        let size = try #require(try? OpenFile(reading: path("0")).size)
        try #require(truncate(path("0"), off_t(size - (64 << 10) + 100)) == 0)
        #expect(QCOW2Start.read(QCOW2StartTests.count, of: path("1")) == nil)
    }

    @Test("are left to QEMU, which runs as another user, where a file below is reached by a link or lies elsewhere")
    func elsewhere() async throws {
        try await make(2)
        try DurableFile.makeDirectory(path("folder"))
        try DurableFile.rename(path("0"), to: path("folder/0"))
        try #require(symlink("folder/0", path("0")) == 0)
        #expect(QCOW2Start.read(QCOW2StartTests.count, of: path("1")) == nil)
        try await Command("qemu-img", ["rebase", "-q", "-u", "-b", "folder/0", "-F", "qcow2", path("1")]).run()
        #expect(QCOW2Start.read(QCOW2StartTests.count, of: path("1")) == nil)
    }

    @Test("are left to QEMU where an entry is damaged: it says so")
    func damaged() async throws {
        try await make(1, ["-o", "compat=0.10"])
        try await io("write -q -P 1 0 64k", 0)
        let whole = try Data(contentsOf: URL(fileURLWithPath: path("0")))
        func number(_ data: Data, at offset: Int) -> Int { data[offset..<offset + 8].reduce(0) { $0 << 8 | Int($1) } }
        let first = number(whole, at: 40)
        let second = number(whole, at: first) & 0xff_ffff_ffff_fe00
        // A cluster that begins 512 bytes too late, in either table; and a sign of zeros, which version 2 does not have.
        for (offset, bit) in [(first + 6, UInt8(2)), (second + 6, 2), (second + 7, 1)] {
            var damaged = whole
            damaged[offset] ^= bit
            try damaged.write(to: URL(fileURLWithPath: path("0")))
            #expect(QCOW2Start.read(QCOW2StartTests.count, of: path("0")) == nil, "\(offset)")
        }
    }

    @Test("of a chain without an end are nothing")
    func endless() async throws {
        try await make(1)
        try await Command("qemu-img", ["rebase", "-q", "-u", "-b", "0", "-F", "qcow2", path("0")]).run()
        #expect(QCOW2Start.read(QCOW2StartTests.count, of: path("0")) == nil)
    }
}
