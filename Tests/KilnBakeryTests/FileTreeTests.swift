import Foundation
import KilnModel
import KilnSystem
import KilnTestSupport
import Testing

@testable import KilnBakery

/// With tar, mke2fs and debugfs: as root, and in a user namespace where the tests run as somebody with subordinate ids.
@Suite("From mmdebstrap's archive to the disk")
struct FileTreeTests {
    private let folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory() }

    /// As `setcap cap_net_raw+ep` writes it.
    private static let capability = Data([1, 0, 0, 2, 0, 0x20, 0, 0] + [UInt8](repeating: 0, count: 12))
    /// User 1000 may read, besides the owner, who may write, and everybody.
    private static let accessList = Data(
        [2, 0, 0, 0]
            + [(1, 6), (2, 4), (4, 4), (0x10, 4), (0x20, 4)].flatMap { tag, permission -> [UInt8] in
                [tag, 0, permission, 0] + (tag == 2 ? [0xe8, 3, 0, 0] : [0xff, 0xff, 0xff, 0xff])
            }
    )

    private func disk(_ fill: (inout PaxArchive) -> Void) async throws -> String {
        var archive = PaxArchive()
        archive.add("./", .folder, mode: 0o755)
        fill(&archive)
        let (tar, tree, raw) = (folder.path + "/tree.tar", folder.path + "/tree", folder.path + "/disk.raw")
        try archive.whole.write(to: URL(fileURLWithPath: tar))
        try FileManager.default.createDirectory(atPath: tree, withIntermediateDirectories: false)
        try await FileTree(path: tree).unpack(tar)
        let digest = try #require(ImageDigest(String(repeating: "0", count: 64)))
        let identity = DiskIdentity(of: digest, epoch: 1_000_000_000)
        try await FileTree(path: tree).makeDisk(at: raw, size: .mebibytes(64), as: identity, by: UnlistedRoots())
        await Namespace.remove(tree)
        return raw
    }

    private func ask(_ request: String, _ raw: String) async throws -> String {
        try await Command("debugfs", ["-R", request, raw]).run().text
    }

    private func value(_ name: String, of path: String, _ raw: String) async throws -> [UInt8] {
        let target = folder.path + "/value"
        try? FileManager.default.removeItem(atPath: target)
        try await Command("debugfs", ["-R", "ea_get -f \(target) \(path) \(name)", raw]).run()
        return Array(FileManager.default.contents(atPath: target) ?? Data())
    }

    @Test("a file keeps its capability, other attributes, access list, owner, setuid bit and any name")
    func attributes() async throws {
        let note = Data(repeating: 7, count: 3000)
        let raw = try await disk { archive in
            let privileged = ["security.capability": Self.capability, "user.note": note]
            archive.add("./ping", mode: 0o755, attributes: privileged, content: Data("ping".utf8))
            archive.add("./su", mode: 0o4755, content: Data("su".utf8))
            archive.add("./kept", owner: 1000, attributes: ["system.posix_acl_access": Self.accessList])
            archive.add("./nä\nme", content: Data("x".utf8))
        }
        #expect(try await value("security.capability", of: "/ping", raw) == Array(Self.capability))
        #expect(try await value("user.note", of: "/ping", raw) == Array(note))
        #expect(try await ask("stat /su", raw).contains(/Mode: +04755/))
        #expect(try await ask("stat /kept", raw).contains(/User: +1000 +Group: +1000/))
        #expect(try await ask("ea_list /kept", raw).contains("system.posix_acl_access"))
        #expect(try await ask("ls -l /", raw).contains("n\\xc3\\xa4\\x0ame"))
    }

    @Test("hard links stay one file, and what holds nothing takes no place")
    func placesAndLinks() async throws {
        let raw = try await disk { archive in
            archive.add("./perl", mode: 0o755, content: Data("perl".utf8))
            archive.add("./perl5", .hardLink, to: "./perl")
            archive.add("./lastlog", content: Data("a".utf8) + Data(count: 8 << 20) + Data("z".utf8))
        }
        let inodes = try await ask("ls -l /", raw).split(separator: "\n")
            .filter { $0.contains(" perl") }.compactMap { $0.split(separator: " ").first }
        #expect(inodes.count == 2 && Set(inodes).count == 1)
        #expect(try await ask("stat /perl", raw).contains(/Links: +2/))
        // In units of 512 bytes: two blocks.
        #expect(try await ask("stat /lastlog", raw).contains(/Blockcount: +16\n/))
    }

    @Test(
        "a file system that keeps no attributes is refused, with what it can't keep",
        .enabled(if: geteuid() == 0, "only root can mount one")
    )
    func withoutAttributes() async throws {
        var archive = PaxArchive()
        archive.add("./ping", mode: 0o755, attributes: ["security.capability": Self.capability])
        let (tar, tree) = (folder.path + "/tree.tar", folder.path + "/ramfs")
        try archive.whole.write(to: URL(fileURLWithPath: tar))
        try FileManager.default.createDirectory(atPath: tree, withIntermediateDirectories: false)
        try await Command("mount", ["-t", "ramfs", "none", tree]).run()
        let error = await #expect(throws: KilnError.self) { try await FileTree(path: tree).unpack(tar) }
        try await Command("umount", [tree]).run()
        #expect(error?.code == .bakeAttributesLost && error?.exit == .aborted)
        #expect(error?.cause?.contains("security.capability") == true)
    }
}
