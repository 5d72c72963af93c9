import Foundation
import Glibc
import KilnEngine
import KilnModel
import KilnSystem
import Testing

@testable import KilnHost

@Suite("Roots looked at from outside")
struct RootInspectorTests {
    private let directory: TestDirectory
    private let inspector: RootInspector

    init() throws {
        directory = try TestDirectory()
        inspector = try RootInspector(testing: directory)
    }

    private func path(_ name: String) -> String { directory.path + "/" + name }

    /// A file system made from a tree, then changed by debugfs.
    private func fileSystem(_ requests: [String] = [], _ fill: (String) throws -> Void = { _ in }) async throws
        -> String
    {
        let tree = path("tree")
        try FileManager.default.createDirectory(atPath: tree, withIntermediateDirectories: true)
        try fill(tree)
        let raw = path("disk.raw")
        try await Command("mke2fs", ["-q", "-t", "ext4", "-d", tree, raw, "16m"]).run()
        for request in requests { try await Command("debugfs", ["-w", "-R", request, raw]).run() }
        return raw
    }

    private func write(_ text: String, _ path: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }

    private func listing(_ raw: String) async throws -> RootListing {
        let target = path("listing-\(UUID().uuidString)")
        try await inspector.writeListing(of: raw, format: .raw, to: target)
        return try RootListing(try Data(contentsOf: URL(fileURLWithPath: target)), of: "the test's root")
    }

    private func entry(_ listing: RootListing, _ path: String) throws -> RootEntry {
        let path = try #require(RootPath(path))
        return try #require(listing.entries[path])
    }

    /// A copy of an empty layer over a disk of that content.
    private func copied(_ raw: String) async throws -> (RootCopy, disk: String) {
        let (disk, overlay) = (path("disk.qcow2"), path("overlay.qcow2"))
        try await Command("qemu-img", ["convert", "-O", "qcow2", raw, disk]).run()
        try await Command("qemu-img", ["create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", disk, overlay]).run()
        return (try await inspector.copy(overlay), disk)
    }

    @Test("a packed disk with partitions is known by its first sectors: nothing is made to unpack it")
    func partitioned() async throws {
        let raw = path("partitions.raw")
        var disk = Data(count: 4 << 20)
        disk.replaceSubrange(510..<512, with: [0x55, 0xaa])
        try disk.write(to: URL(fileURLWithPath: raw))
        try await Command("qemu-img", ["convert", "-c", "-O", "qcow2", raw, path("partitions.qcow2")]).run()
        try await Command("qemu-img", ["create", "-q", "-f", "qcow2", path("tiny.qcow2"), "512"]).run()
        // A scratch directory that nobody could make.
        let unable = RootInspector(scratch: "/proc/none", owner: nil, executable: "/nonexistent/kiln")
        for name in ["partitions.qcow2", "tiny.qcow2"] {
            let error = await #expect(throws: KilnError.self) {
                try await unable.writeListing(of: path(name), format: .qcow2, to: path("paths"))
            }
            #expect(error?.code == .driftNoFileSystem, "\(name)")
        }
    }

    @Test("a packed disk that holds ext4 from its start on is listed")
    func packed() async throws {
        let raw = try await fileSystem { try write("x", $0 + "/file") }
        let disk = path("packed.qcow2")
        try await Command("qemu-img", ["convert", "-c", "-O", "qcow2", raw, disk]).run()
        try await inspector.writeListing(of: disk, format: .qcow2, to: path("paths"))
        let listing = try RootListing(try Data(contentsOf: URL(fileURLWithPath: path("paths"))), of: "the test's root")
        #expect(try entry(listing, "/file").kind == .file)
    }

    @Test("what would fill the disk is refused, and so is a bomb, however much is free; dense small ones are not")
    func room() throws {
        func code(content: UInt64, packed: UInt64, free: UInt64) -> ErrorCode? {
            do {
                let free = FreeSpace(bytes: free)
                try RootInspector.judge(content: content, packed: packed, free: free, "DISK", "FOLDER")
                return nil
            } catch { return (error as? KilnError)?.code }
        }
        #expect(code(content: 700 << 20, packed: 1 << 20, free: 1 << 40) == nil)
        #expect(code(content: 700 << 20, packed: 1 << 20, free: 200 << 20) == .diskFull)
        #expect(code(content: 90 << 30, packed: 1 << 30, free: 1 << 40) == nil)
        #expect(code(content: 110 << 30, packed: 1 << 30, free: 1 << 40) == .diskBomb)
        #expect(code(content: 16 << 40, packed: 1 << 20, free: 1 << 50) == .diskBomb)
    }

    @Test("only what lies below some paths is listed, with what leads there; a file is read, and nothing else")
    func below() async throws {
        let raw = try await fileSystem { tree in
            for name in ["/data", "/data/deep", "/data2", "/srv"] { mkdir(tree + name, 0o755) }
            try write("lost", tree + "/data/deep/file")
            try write("other", tree + "/data2/file")
            try FileManager.default.createSymbolicLink(atPath: tree + "/data/link", withDestinationPath: "deep/file")
        }
        func root(_ text: String) throws -> RootPath { try #require(RootPath(text)) }
        let (first, disk) = try await copied(raw)
        let found = try await inspector.listing(
            of: first,
            over: disk,
            size: nil,
            below: [try root("/data"), try root("/no/such")]
        )
        #expect(
            found.entries.keys.map(\.text).sorted() == ["/", "/data", "/data/deep", "/data/deep/file", "/data/link"]
        )
        inspector.discard(first)
        func content(_ text: String, limit: Int = 100) async throws -> [UInt8] {
            let copy = try await inspector.copy(path("overlay.qcow2"))
            defer { inspector.discard(copy) }
            return try await inspector.content(of: try root(text), in: copy, over: disk, size: nil, limit: limit)
        }
        #expect(try await content("/data/deep/file") == Array("lost".utf8))
        for other in ["/data/link", "/data", "/data/deep/none", "/data/deep/file/x"] {
            let error = try await #require(throws: KilnError.self) { try await content(other) }
            #expect(error.code == .rootNoFile, "\(other): \(error)")
        }
        let error = try await #require(throws: KilnError.self) { try await content("/data/deep/file", limit: 3) }
        #expect(error.code == .rootTooLarge)
    }

    @Test("files, links, devices, names and owners are listed as they are")
    func honest() async throws {
        let raw = try await fileSystem(["mknod null c 1 3", "set_inode_field null mode 020666", "sif /dir/f uid 70000"])
        { tree in
            mkdir(tree + "/dir", 0o750)
            chmod(tree + "/dir", 0o750)
            try write("hello", tree + "/dir/f")
            chmod(tree + "/dir/f", 0o4711)
            try write("", tree + "/a\nend 1")
            try FileManager.default.createSymbolicLink(atPath: tree + "/link", withDestinationPath: "../x y")
            let long = String(repeating: "long/", count: 40)
            try FileManager.default.createSymbolicLink(atPath: tree + "/far", withDestinationPath: long)
        }
        let found = try await listing(raw)
        let file = try entry(found, "/dir/f")
        #expect(file.value == "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824")
        #expect(file.mode == 0o4711 && file.user == 70000 && file.size == 5 && file.kind == .file)
        #expect(try entry(found, "/dir").mode == 0o750)
        #expect(try entry(found, "/link").value == "..%2Fx%20y")
        #expect(try entry(found, "/far").value?.hasPrefix("long%2Flong") == true)
        #expect(try entry(found, "/null").value == "1:3")
        #expect(try entry(found, "/a%0Aend%201").kind == .file)
        #expect(found.entries.count == 8)
    }

    @Test("attributes and flags tell files apart")
    func attributes() async throws {
        let raw = try await fileSystem(["ea_set /a security.capability x", "sif /b flags 0x80010"]) { tree in
            for name in ["a", "b", "c"] { try write("same", "\(tree)/\(name)") }
        }
        let found = try await listing(raw)
        let all = try ["/a", "/b", "/c"].map { try entry(found, $0).attributes }
        #expect(all[0] != nil && all[1] != nil && all[2] == nil && all[0] != all[1])
    }

    @Test("a directory in itself is walked once, and a file without end is not read")
    func endless() async throws {
        let requests = ["link /dir /dir/again", "sif /huge size 0x0fffffffffff", "mknod odd p", "sif odd mode 0170000"]
        let raw = try await fileSystem(requests) { tree in
            mkdir(tree + "/dir", 0o755)
            try write("x", tree + "/dir/f")
            try write("x", tree + "/huge")
        }
        let found = try await listing(raw)
        #expect(try entry(found, "/dir").kind == .directory)
        #expect(try entry(found, "/dir/f").kind == .file)
        #expect(try entry(found, "/dir/again").kind == .damaged)
        #expect(try entry(found, "/huge").value == nil)
        #expect(try entry(found, "/odd").kind == .damaged)
    }

    @Test("a directory that says a name twice, or one with a slash, is damage")
    func nonsense() async throws {
        let raw = try await fileSystem(["link /f dir/aa", "link /f dir/ab", "link /f dir/ac"]) { tree in
            mkdir(tree + "/dir", 0o755)
            try write("x", tree + "/f")
        }
        // Checksums of directories would give the change away before its meaning does.
        try await Command("tune2fs", ["-O", "^metadata_csum", raw]).run()
        var bytes = try Data(contentsOf: URL(fileURLWithPath: raw))
        let name = try #require(
            bytes.range(of: Data([2, 0, 0x61, 0x63])) ?? bytes.range(of: Data([2, 1, 0x61, 0x63]))
        )
        bytes[name.upperBound - 1] = 0x62
        try bytes.write(to: URL(fileURLWithPath: raw))
        #expect(try entry(try await listing(raw), "/dir").kind == .damaged)
        bytes[name.upperBound - 1] = 0x2f
        try bytes.write(to: URL(fileURLWithPath: raw))
        #expect(try entry(try await listing(raw), "/dir").kind == .damaged)
    }

    @Test("random damage ends in a listing or in an error, never in anything else", arguments: 1...12)
    func noise(_ seed: UInt64) async throws {
        let raw = try await fileSystem { tree in
            for number in 0..<40 {
                mkdir("\(tree)/d\(number)", 0o755)
                try write(String(repeating: "\(number)", count: number * 300), "\(tree)/d\(number)/f")
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
        for _ in 0..<200 { bytes[2048 + next() % (1 << 20)] = UInt8(truncatingIfNeeded: next()) }
        try bytes.write(to: URL(fileURLWithPath: raw))
        do {
            _ = try await listing(raw)
        } catch let error as KilnError {
            #expect(["drift.walk-failed", "drift.no-file-system"].contains(error.code), "\(error)")
        }
        #expect(directory.names.filter { $0.hasPrefix("listing") }.count <= 1)
    }

    @Test("what is no file system is said to be none")
    func none() async throws {
        let noise = path("noise")
        try Data(repeating: 7, count: 1 << 20).write(to: URL(fileURLWithPath: noise))
        await #expect { _ = try await listing(noise) } throws: { ($0 as? KilnError)?.code == .driftNoFileSystem }
        #expect(try FileManager.default.contentsOfDirectory(atPath: path("roots")).isEmpty)
    }

    @Test("a root is read through its layer, from a copy; nothing of it is left")
    func chain() async throws {
        let raw = try await fileSystem { try write("in the image", $0 + "/f") }
        let (base, layer) = (path("base.qcow2"), path("layer.qcow2"))
        try await Command("qemu-img", ["convert", "-f", "raw", "-O", "qcow2", raw, base]).run()
        try await Command("debugfs", ["-w", "-R", "rm /f", raw]).run()
        try await Command("qemu-img", ["create", "-q", "-f", "qcow2", "-b", base, "-F", "qcow2", layer]).run()
        try await Command("qemu-img", ["convert", "-f", "raw", "-O", "qcow2", "-B", base, "-F", "qcow2", raw, layer])
            .run()
        let copy = try await inspector.copy(layer)
        let found = try await inspector.listing(of: copy, over: base, size: nil, below: [])
        let file = try #require(RootPath("/f"))
        #expect(found.entries[file] == nil)
        #expect(found.entries[.root] != nil)
        inspector.discard(copy)
        #expect(try FileManager.default.contentsOfDirectory(atPath: path("roots")).isEmpty)
    }

    @Test(
        "a root with a larger disk than its image is read as the guest has grown it; another size than was made is refused"
    )
    func grown() async throws {
        let raw = try await fileSystem { try write("in the image", $0 + "/f") }
        let (base, layer, big) = (path("base.qcow2"), path("layer.qcow2"), path("big"))
        try await Command("qemu-img", ["convert", "-f", "raw", "-O", "qcow2", raw, base]).run()
        // As cloud-init does at the first boot; the file reaches beyond the end of the image's disk.
        try await Command("truncate", ["-s", "32M", raw]).run()
        try await Command("resize2fs", [raw]).run()
        try Data(repeating: 7, count: 16 << 20).write(to: URL(fileURLWithPath: big))
        try await Command("debugfs", ["-w", "-R", "write \(big) /big", raw]).run()
        let arguments = ["convert", "-f", "raw", "-O", "qcow2", "-B", base, "-F", "qcow2", raw, layer]
        try await Command("qemu-img", arguments).run()
        let copy = try await inspector.copy(layer)
        let found = try await inspector.listing(of: copy, over: base, size: .mebibytes(32), below: [])
        inspector.discard(copy)
        #expect(try entry(found, "/big").size == 16 << 20)
        #expect(try entry(found, "/big").value != nil && entry(found, "/f").kind == .file)

        let small = path("small.qcow2")
        let line = ["create", "-q", "-u", "-f", "qcow2", "-b", base, "-F", "qcow2", small, "8m"]
        try await Command("qemu-img", line).run()
        for (overlay, size) in [(layer, nil), (layer, .mebibytes(64)), (small, nil)] as [(String, ByteCount?)] {
            let copy = try await inspector.copy(overlay)
            defer { inspector.discard(copy) }
            let error = await #expect(throws: KilnError.self) {
                try await inspector.listing(of: copy, over: base, size: size, below: [])
            }
            #expect(error?.code == .driftSizeChanged)
        }
    }

    @Test("a layer that names other files is refused, or its names are not followed")
    func escaping() async throws {
        let raw = try await fileSystem()
        let (base, layer, secret) = (path("base.qcow2"), path("layer.qcow2"), path("secret"))
        try await Command("qemu-img", ["convert", "-f", "raw", "-O", "qcow2", raw, base]).run()
        let data = "data_file=\(secret),data_file_raw=on"
        try await Command("qemu-img", ["create", "-q", "-f", "qcow2", "-o", data, layer, "16m"]).run()
        await #expect { _ = try await inspector.copy(layer) } throws: { ($0 as? KilnError)?.code == .diskRefused }
        #expect(try FileManager.default.contentsOfDirectory(atPath: path("roots")).isEmpty)

        try write("not a disk", secret)
        let other = path("other.qcow2")
        let line = ["create", "-q", "-u", "-f", "qcow2", "-b", secret, "-F", "qcow2", other, "16m"]
        try await Command("qemu-img", line).run()
        let copy = try await inspector.copy(other)
        #expect(try await inspector.listing(of: copy, over: base, size: nil, below: []).entries[.root] != nil)
        inspector.discard(copy)
    }

    @Test("what a killed process left is removed by the next")
    func leftovers() async throws {
        let stale = path("roots/stale")
        try FileManager.default.createDirectory(atPath: stale, withIntermediateDirectories: true)
        #expect(inspector.removeAbandoned(dryRun: true) == [stale])
        let raw = try await fileSystem()
        _ = try await listing(raw)
        #expect(access(stale, F_OK) != 0)
    }

    @Test("a directory that another process is just making, and has not locked yet, is not taken for a leftover")
    func gate() async throws {
        let (roots, young) = (path("roots"), path("roots/young"))
        try FileManager.default.createDirectory(atPath: young, withIntermediateDirectories: true)
        let gate = open(roots, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        try #require(gate >= 0 && flock(gate, LOCK_EX) == 0)
        let inspector = inspector
        async let removed = BlockingWork.run { inspector.removeAbandoned(dryRun: false) }
        try await Task.sleep(for: .milliseconds(200))
        #expect(access(young, F_OK) == 0)
        let lock = open(young, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        #expect(flock(lock, LOCK_EX | LOCK_NB) == 0)
        close(gate)
        #expect(await removed.isEmpty)
        #expect(access(young, F_OK) == 0)
        close(lock)
    }

    @Test(
        "the user of the machines can put nothing where the copy of a root lies",
        .enabled(if: geteuid() == 0, "only root has machines of another user")
    )
    func closedScratch() async throws {
        let raw = try await fileSystem()
        let base = path("base.qcow2")
        try await Command("qemu-img", ["convert", "-f", "raw", "-O", "qcow2", raw, base]).run()
        let copy = try await inspector.copy(base)
        let (file, link) = (copy.directory + "/root.qcow2", copy.directory + "/raw")
        let planting = "ln -s /etc/motd '\(link)' || rm -f '\(file)'"
        let owner = try MachineOwner.current()
        #expect(try await Command("sh", ["-c", "test -w '\(file)'"], user: owner.identity).result().status == 0)
        #expect(try await Command("sh", ["-c", planting], user: owner.identity).result().status != 0)
        inspector.discard(copy)
    }
}
