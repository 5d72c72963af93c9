import Crypto
import Foundation
import Glibc
import KilnEngine
import KilnModel
import KilnSystem
import Testing

@testable import KilnBakery
@testable import KilnHost

/// With tar, mke2fs, e2fsck and qemu-img: as root, and in a user namespace where the tests run as somebody with subordinate ids.
@Suite("The same tree is the same disk")
struct ReproducibleDiskTests {
    private let directory: TestDirectory
    private let inspector: RootInspector
    private let epoch = 1_600_000_000

    init() throws {
        directory = try TestDirectory()
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        inspector = RootInspector(
            scratch: directory.path + "/roots",
            owner: geteuid() == 0 ? try MachineOwner.current() : nil,
            executable: URL(fileURLWithPath: own).deletingLastPathComponent().appendingPathComponent("kiln").path
        )
    }

    private func path(_ name: String) -> String { directory.path + "/" + name }

    /// A tree whose files are made in that order; some are old, and some are made now.
    private func tree(_ name: String, _ numbers: [Int]) async throws -> FileTree {
        let tree = path(name)
        mkdir(tree, 0o700)
        for number in numbers {
            let folder = "\(tree)/d\(number)"
            mkdir(folder, 0o700)
            let file = folder + "/file"
            try Data(repeating: UInt8(number), count: number * 1000).write(to: URL(fileURLWithPath: file))
            chmod(file, 0o640)
            link(file, "\(tree)/link\(number)")
            symlink("d\(number)/file", "\(tree)/symlink\(number)")
            if number % 2 == 0 {
                let old = timespec(tv_sec: 1_500_000_000, tv_nsec: 5)
                utimensat(AT_FDCWD, file, [old, old], 0)
            }
            chmod(folder, 0o755)
        }
        chmod(tree, 0o755)
        try await FileTree(path: tree).unpack(try capable(name + ".tar"))
        return FileTree(path: tree)
    }

    /// An archive of a file with a capability and an owner of its own.
    private func capable(_ name: String) throws -> String {
        var file = TarEntry(path: [Array("ping".utf8)], kind: .file, mode: 0o4755, user: 7, group: 8)
        // As `setcap cap_net_raw+ep` writes it.
        let capability = [1, 0, 0, 2, 0, 0x20, 0, 0] + [UInt8](repeating: 0, count: 12)
        file.attributes = [TarEntry.Attribute(name: Array("security.capability".utf8), value: capability)]
        try Data(file.header() + TarEntry.end).write(to: URL(fileURLWithPath: path(name)))
        return path(name)
    }

    private func disks(_ tree: FileTree, as identity: DiskIdentity) async throws -> [String] {
        let (raw, disk) = (tree.path + ".raw", tree.path + ".qcow2")
        try await tree.makeDisk(at: raw, size: .mebibytes(32), as: identity, by: inspector)
        try await FileTree.pack(raw, as: disk)
        return try [raw, disk].map { path in
            SHA256.hash(data: try Data(contentsOf: URL(fileURLWithPath: path))).hexadecimal
        }
    }

    @Test("whenever and in whatever order it was written, the raw disk and the qcow2 one are the same bytes")
    func same() async throws {
        let digest = try #require(ImageDigest(String(repeating: "a", count: 64)))
        let identity = DiskIdentity(of: digest, epoch: epoch)
        let first = try await disks(try await tree("first", Array(0..<40)), as: identity)
        // Seconds are what mke2fs knows of times.
        try await Task.sleep(for: .milliseconds(1100))
        let second = try await disks(try await tree("second", [1, 0] + (2..<40).reversed()), as: identity)
        #expect(first == second)
        try await Command("e2fsck", ["-fn", path("first.raw")]).run()
        let later = DiskIdentity(of: digest, epoch: epoch + 1)
        #expect(try await disks(try await tree("third", Array(0..<40)), as: later) != first)
        let other = DiskIdentity(of: try #require(ImageDigest(String(repeating: "b", count: 64))), epoch: epoch)
        #expect(try await disks(try await tree("fourth", Array(0..<40)), as: other) != first)
    }

    @Test("nothing on the disk is newer than its epoch, and what is older stays as it is")
    func clamped() async throws {
        let digest = try #require(ImageDigest(String(repeating: "a", count: 64)))
        _ = try await disks(try await tree("tree", [1, 2]), as: DiskIdentity(of: digest, epoch: epoch))
        func times(_ name: String) async throws -> [String: Int] {
            let text = try await Command("debugfs", ["-R", "stat \(name)", path("tree.raw")]).run().text
            let found = text.matches(of: /([a-z]+time): 0x([0-9a-f]{8}):([0-9a-f]{8})/)
            #expect(found.count == 4 && found.allSatisfy { $0.3 == "00000000" || $0.1 == "mtime" })
            return Dictionary(uniqueKeysWithValues: found.map { (String($0.1), Int($0.2, radix: 16) ?? 0) })
        }
        for name in ["/", "/d1", "/d1/file", "/d2/file", "/symlink1", "/lost+found"] {
            let times = try await times(name)
            #expect(times["mtime"] == (name == "/d2/file" ? 1_500_000_000 : epoch), "\(name)")
            #expect([times["atime"], times["ctime"], times["crtime"]] == [epoch, epoch, epoch], "\(name)")
        }
        let superblock = try await Command("dumpe2fs", ["-h", path("tree.raw")]).run().text
        for line in superblock.split(separator: "\n") where line.contains("created:") || line.contains("write time:") {
            #expect(line.contains("Sun Sep 13 12:26:40 2020"), "\(line)")
        }
    }
}
