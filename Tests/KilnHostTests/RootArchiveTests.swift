import Foundation
import Glibc
import KilnEngine
import KilnModel
import KilnSystem
import Testing

@testable import KilnHost

@Suite("Archives of roots")
struct RootArchiveTests {
    private let directory: TestDirectory
    private let inspector: RootInspector

    init() throws {
        directory = try TestDirectory()
        inspector = try RootInspector(testing: directory)
    }

    private func path(_ name: String) -> String { directory.path + "/" + name }

    private func write(_ text: String, _ path: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }

    /// A file system made from a tree, then changed by debugfs.
    private func fileSystem(
        _ requests: [String] = [],
        size: String = "16m",
        _ fill: (String) throws -> Void = { _ in }
    ) async throws -> String {
        let (tree, raw) = (path("tree"), path("disk.raw"))
        try FileManager.default.createDirectory(atPath: tree, withIntermediateDirectories: true)
        try fill(tree)
        try await Command("mke2fs", ["-q", "-t", "ext4", "-d", tree, raw, size]).run()
        for request in requests { try await Command("debugfs", ["-w", "-R", request, raw]).run() }
        return raw
    }

    private struct Found {
        var entry: TarEntry
        var content: [UInt8] = []
    }

    private func archive(_ disk: String, _ format: DiskFormat = .raw) async throws -> [String: Found] {
        let target = path("archive-\(UUID().uuidString).tar")
        try await inspector.archive(of: disk, format: format, to: target)
        let file = try OpenFile(reading: target)
        var stream = TarStream(file.descriptor, named: target)
        var found: [String: Found] = [:]
        while let entry = try stream.next() {
            var one = Found(entry: entry)
            if entry.kind == .file && entry.size < 1 << 20 { try stream.readContent { one.content += $0 } }
            found[entry.path.reduce(RootPath.root) { $0.appending($1) }.text] = one
        }
        return found
    }

    @Test("a root comes out with owners, modes, links, devices, names, times and holes, and twice the same")
    func honest() async throws {
        let raw = try await fileSystem([
            "mknod null c 1 3", "set_inode_field null mode 020666", "mknod disk b 259 7000", "mknod pipe p",
            "sif /dir/f uid 70000", "sif /dir/f gid 4000000000", "sif /dir/f mtime_extra 0x1dcd6500",
            "link /dir/f hard",
            "sif /dir/f links_count 2",
        ]) { tree in
            mkdir(tree + "/dir", 0o750)
            chmod(tree + "/dir", 0o1777)
            try write("hello", tree + "/dir/f")
            chmod(tree + "/dir/f", 0o4711)
            try write("", tree + "/a\nend 1")
            try write("x", tree + "/" + String(repeating: "n", count: 200))
            try FileManager.default.createSymbolicLink(atPath: tree + "/link", withDestinationPath: "../../etc/x y")
            let sparse = open(tree + "/sparse", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
            pwrite(sparse, "x", 1, 8 << 20)
            close(sparse)
        }
        let found = try await archive(raw)
        let file = try #require(found["/dir/f"])
        #expect(file.content == Array("hello".utf8) && file.entry.mode == 0o4711)
        #expect(file.entry.user == 70000 && file.entry.group == 4_000_000_000)
        #expect(file.entry.modified.nanoseconds == 0x1dcd_6500 >> 2)
        #expect(found["/dir"]?.entry.mode == 0o1777)
        #expect(found["/hard"]?.entry.kind == .hardLink(to: [Array("dir".utf8), [0x66]]))
        #expect(found["/link"]?.entry.kind == .link(to: Array("../../etc/x y".utf8)))
        #expect(found["/null"]?.entry.kind == .character(major: 1, minor: 3))
        #expect(found["/disk"]?.entry.kind == .block(major: 259, minor: 7000))
        #expect(found["/pipe"]?.entry.kind == .pipe)
        #expect(found["/a%0Aend%201"] != nil && found["/" + String(repeating: "n", count: 200)] != nil)
        #expect(found["/sparse"]?.entry.size == (8 << 20) + 1)
        #expect(found["/lost+found"] == nil && found["/"]?.entry.kind == .folder)
        let archives = directory.names.filter { $0.hasPrefix("archive-") }
        let first = try Data(contentsOf: URL(fileURLWithPath: path(archives[0])))
        #expect(first.count < 40_000)
        _ = try await archive(raw)
        let others = directory.names.filter { $0.hasPrefix("archive-") && $0 != archives[0] }
        #expect(try Data(contentsOf: URL(fileURLWithPath: path(others[0]))) == first)
    }

    @Test("capabilities, other attributes and access lists come out as the kernel shows them")
    func attributes() async throws {
        let list: [UInt8] =
            [1, 0, 0, 0] + [1, 0, 6, 0] + [2, 0, 4, 0, 0xe8, 3, 0, 0] + [4, 0, 4, 0]
            + [0x10, 0, 4, 0] + [0x20, 0, 4, 0]
        let shown = try #require(AccessList(stored: list)?.shown)
        #expect(shown.count == 4 + 5 * 8 && shown[0] == 2)
        #expect(Array(shown[12..<20]) == [2, 0, 4, 0, 0xe8, 3, 0, 0])
        #expect(Array(shown[20..<28]) == [4, 0, 4, 0, 0xff, 0xff, 0xff, 0xff])
        try Data(shown).write(to: URL(fileURLWithPath: path("list")))
        let raw = try await fileSystem([
            "ea_set /a security.capability x=y", "ea_set -f \(path("list")) /b system.posix_acl_access",
            "ea_set /b user.note 1",
        ]) { tree in
            for name in ["a", "b", "c"] { try write("same", "\(tree)/\(name)") }
        }
        let found = try await archive(raw)
        let attributes = found.mapValues { $0.entry.attributes }
        #expect(
            attributes["/a"] == [TarEntry.Attribute(name: Array("security.capability".utf8), value: Array("x=y".utf8))]
        )
        #expect(attributes["/b"]?.first?.value == shown && attributes["/b"]?.count == 2)
        #expect(attributes["/c"]?.isEmpty == true)
    }

    @Test("what tar unpacks is what mke2fs took, but for what only root can make")
    func unpacked() async throws {
        let raw = try await fileSystem { tree in
            for number in 0..<200 {
                mkdir("\(tree)/d\(number)", 0o755)
                try write(String(repeating: "\(number)", count: number * 20), "\(tree)/d\(number)/f")
                symlink("f", "\(tree)/d\(number)/l")
            }
            link("\(tree)/d7/f", "\(tree)/z")
        }
        _ = try await archive(raw)
        let name = try #require(directory.names.first { $0.hasPrefix("archive-") })
        mkdir(path("copy"), 0o755)
        try await Command("tar", ["-C", path("copy"), "-xf", path(name)]).run()
        try await Command("diff", ["-r", "--no-dereference", path("tree"), path("copy")]).run()
        var (first, second) = (stat(), stat())
        #expect(stat(path("copy/z"), &first) == 0 && stat(path("copy/d7/f"), &second) == 0)
        #expect(first.st_ino == second.st_ino)
    }

    @Test(
        "a damaged file system is refused with the path, and nothing is left",
        arguments: [
            ("link /dir /dir/again", "/dir/again"), ("sif /f size 0x0fffffffffffffff", "/f"),
            ("sif /f size 0x0fffffffffff", ""), ("sif /f mode 0170000", "/f"), ("sif /l size 5000", "/l"),
            ("clri /f", "/f"), ("sif /f block[0] 0xffff", "/f"), ("sif /dir block[0] 0xffff", "/dir"),
            ("sif /f flags 0x80800", "/f"),
        ]
    )
    func damaged(_ request: String, _ place: String) async throws {
        let raw = try await fileSystem([request]) { tree in
            mkdir(tree + "/dir", 0o755)
            try write("x", tree + "/f")
            symlink("f", tree + "/l")
        }
        guard !place.isEmpty else {
            // A hole without end takes no room.
            #expect(try await archive(raw)["/f"]?.entry.size == 0x0fff_ffff_ffff)
            return
        }
        let error = try await #require(throws: KilnError.self) { try await archive(raw) }
        #expect(error.code == .rootDamaged)
        #expect(error.cause?.hasPrefix("\(place):") == true, "\(error.cause ?? "-")")
        #expect(directory.names.filter { $0.hasPrefix("archive-") }.isEmpty)
    }

    @Test("files that share their blocks give no more than the file system can hold")
    func shared() async throws {
        let names = (0..<40).map { "f\($0)" }
        let raw = try await fileSystem(size: "8m") { tree in
            for name in names {
                try write(name == "f0" ? String(repeating: "x", count: 1 << 20) : "", "\(tree)/\(name)")
            }
        }
        let places = try await Command("debugfs", ["-R", "stat /f0", raw]).run().text
        let first = try #require(places.firstMatch(of: /\(0-1023\):(\d+)-\d+/)?.1)
        // A tree of extents with one leaf: the blocks of the first file.
        let fields = [
            "size 1048576", "flags 0x80000", "block[0] 0x1f30a", "block[1] 4", "block[2] 0", "block[3] 0",
            "block[4] 1024",
            "block[5] \(first)",
        ]
        let requests = names.dropFirst().flatMap { name in fields.map { "sif /\(name) \($0)\n" } }
        try write(requests.joined(), path("requests"))
        try await Command("debugfs", ["-w", "-f", path("requests"), raw]).run()
        let error = try await #require(throws: KilnError.self) { try await archive(raw) }
        #expect(error.code == .rootDamaged && error.cause?.contains("other files") == true, "\(error)")
    }

    @Test("random damage ends in an archive or in an error, never in anything else", arguments: 1...12)
    func noise(_ seed: UInt64) async throws {
        let raw = try await fileSystem { tree in
            for number in 0..<40 {
                mkdir("\(tree)/d\(number)", 0o755)
                try write(String(repeating: "\(number)", count: number * 20), "\(tree)/d\(number)/f")
            }
        }
        var bytes = try Data(contentsOf: URL(fileURLWithPath: raw))
        var state = seed &* 0x9e37_79b9_7f4a_7c15
        func next() -> Int {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Int(truncatingIfNeeded: state >> 16)
        }
        // Most of what a file system of this size says lies in the first megabyte.
        for _ in 0..<20 { bytes[2048 + abs(next()) % (1 << 20)] = UInt8(truncatingIfNeeded: next()) }
        try bytes.write(to: URL(fileURLWithPath: raw))
        do {
            _ = try await archive(raw)
        } catch let error as KilnError {
            #expect([.driftWalkFailed, .driftNoFileSystem, .rootDamaged].contains(error.code), "\(error)")
        }
    }
}
