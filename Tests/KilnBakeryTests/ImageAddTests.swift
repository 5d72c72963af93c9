import Foundation
import KilnEngine
import KilnModel
import KilnSystem
import KilnTestSupport
import Synchronization
import Testing

@testable import KilnBakery
@testable import KilnStore

@Suite("Disks that others made")
struct ImageAddTests {
    private let folder: TemporaryDirectory
    private let store: ImageStore

    init() throws {
        folder = try TemporaryDirectory()
        store = ImageStore(root: folder.path + "/images")
    }

    private func disk(_ name: String, _ bytes: [UInt8]) throws -> DiskSource {
        DiskSource(.file(try folder.file(name, bytes)))
    }

    /// A qcow2 file of 8 MiB that a BIOS starts, with 2 MiB in it.
    private func makeDisk(_ path: String) async throws {
        let content = CraftedTable(bootCode: true).bytes + [UInt8](repeating: 7, count: 2 << 20)
        let raw = try folder.file("raw", content + [UInt8](repeating: 0, count: (8 << 20) - content.count))
        let arguments = ["convert", "-f", "raw", "-O", "qcow2", raw, path]
        try await Command("qemu-img", arguments, deadline: .seconds(60)).run()
    }

    private func code(_ work: () async throws -> Void) async -> ErrorCode? {
        do {
            try await work()
            return nil
        } catch { return (error as? KilnError)?.code }
    }

    @Test("an added disk is copied, checked and sealed; hostile ones leave nothing behind")
    func added() async throws {
        let good = try disk("good.qcow2", CraftedDisk.bootable.bytes)
        let added = AddedImage(name: try Name("own"), version: "1", boot: .firmware(.bios))
        let image = try await store.add(good, as: added, roots: UnlistedRoots())
        #expect(image.manifest.virtualSize == ByteCount(bytes: 1 << 30))
        #expect(await code { _ = try await store.add(good, as: added, roots: UnlistedRoots()) } == "image.exists")

        var hostile = CraftedDisk.bootable
        hostile.put(4, at: 76)
        let bad = try disk("bad.qcow2", hostile.bytes)
        var other = added
        other.version = "2"
        #expect(
            await code { _ = try await store.add(bad, as: other, roots: UnlistedRoots()) } == "image.refused.data-file"
        )
        #expect(try FileManager.default.contentsOfDirectory(atPath: store.work).isEmpty)
        #expect(try store.list().count == 1)
    }

    @Test("what is no readable file is the user's to mend, and a store refusal names the image that is there")
    func refusedFiles() async throws {
        var added = AddedImage(name: try Name("own"), version: "1", boot: .firmware(.bios))
        mkfifo(folder.path + "/fifo", 0o600)
        for (name, exit) in [
            ("none", ExitCode.usage), ("none/none", .usage), ("fifo", .invalidFile), (".", .invalidFile),
        ] {
            let error = await #expect(throws: KilnError.self) {
                try await store.add(DiskSource(.file("\(folder.path)/\(name)")), as: added, roots: UnlistedRoots())
            }
            #expect(error?.exit == exit, "\(name)")
        }
        let disk = try self.disk("disk.qcow2", CraftedDisk.startedByBoth.bytes)
        _ = try await store.add(disk, as: added, roots: UnlistedRoots())
        (added.name, added.boot) = (try Name("other"), .firmware(.uefi))
        let error = await #expect(throws: KilnError.self) {
            try await store.add(disk, as: added, roots: UnlistedRoots())
        }
        #expect(error?.code == .imageExists)
        #expect(error?.message.contains("as own:1,") == true)
        #expect(error?.hint?.contains("kiln image delete own:1") == true)
    }

    @Test("a file that was cut off is refused, wherever it ends")
    func truncated() async throws {
        let path = folder.path + "/disk.qcow2"
        try await makeDisk(path)
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        let added = AddedImage(name: try Name("own"), version: "1", boot: .firmware(.bios))
        for length in [0, 3, 80, 5_000, 70_000, 200_000, whole.count / 2, whole.count - 65_536] {
            try whole.prefix(length).write(to: URL(fileURLWithPath: path))
            let error = await #expect(throws: KilnError.self) {
                try await store.add(DiskSource(.file(path)), as: added, roots: UnlistedRoots())
            }
            #expect(error?.exit == .invalidFile, "\(length)")
        }
        #expect(try store.list().isEmpty)
    }

    @Test("what only qemu-img sees is refused too")
    func damaged() async throws {
        var disk = CraftedDisk()
        // The first table points beyond the end of the file.
        disk.putLong(1 << 63 | 9 << 16, at: 3 << 16)
        let bad = try self.disk("bad.qcow2", disk.bytes)
        let added = AddedImage(name: try Name("own"), version: "1", boot: .firmware(.bios))
        #expect(await code { _ = try await store.add(bad, as: added, roots: UnlistedRoots()) } == "image.check-failed")
    }

    @Test("leaked clusters harm no data: they are told, and the image is taken")
    func leaked() async throws {
        let path = folder.path + "/leaked.qcow2"
        try await makeDisk(path)
        try leak(in: path)
        let told = Mutex<[String]>([])
        let added = AddedImage(name: try Name("own"), version: "1", boot: .firmware(.bios))
        _ = try await store.add(DiskSource(.file(path)), as: added, roots: UnlistedRoots()) { note in
            told.withLock { $0.append(note) }
        }
        #expect(told.withLock { $0 }.count == 1)
        #expect(told.withLock { $0 }.first?.contains("leaked") == true)
    }

    /// Lets the file grow by a cluster that is counted once and used by nobody.
    private func leak(in path: String) throws {
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        func long(at offset: UInt64) throws -> UInt64 {
            try file.seek(toOffset: offset)
            return try #require(try file.read(upToCount: 8)).reduce(0) { $0 << 8 | UInt64($1) }
        }
        // Of a new file with clusters of 64 KiB and counts of 16 bits; see "refcount_table_offset" in QEMU's description.
        let block = try long(at: try long(at: 48))
        let number = (try file.seekToEnd() + 0xffff) >> 16
        try file.truncate(atOffset: (number + 1) << 16)
        try file.seek(toOffset: block + 2 * number)
        try file.write(contentsOf: Data([0, 1]))
        try file.close()
    }

    @Test("an added disk whose root can be listed is listed; another is added all the same")
    func addedListing() async throws {
        let disk = try self.disk("disk.qcow2", CraftedDisk.bootable.bytes)
        var added = AddedImage(name: try Name("own"), version: "1", boot: .firmware(.bios))
        #expect(try await store.add(disk, as: added, roots: UnlistedRoots()).paths == nil)
        var other = CraftedDisk.bootable
        other.bytes[other.bytes.count - 1] = 9
        added.version = "2"
        let listed = try await store.add(self.disk("other.qcow2", other.bytes), as: added, roots: EmptyRoots())
        #expect(listed.paths.map { FileManager.default.fileExists(atPath: $0) } == true)
    }
}

extension CraftedDisk {
    /// A disk with boot code, and with a loader in an EFI system partition.
    static var startedByBoth: CraftedDisk {
        var table = CraftedTable(bootCode: true)
        table.gpt(lastUsable: (1 << 21) - 34)
        table.gpt(1, type: .system, first: 128, last: 255)
        return CraftedDisk(holding: table.bytes + CraftedFAT().bytes)
    }
}

/// Disks that hold an empty file system, whatever they hold.
private struct EmptyRoots: RootInspection {
    func writeListing(of disk: String, format: DiskFormat, to path: String) async throws {
        let root = RootEntry(kind: .directory, mode: 0o755, user: 0, group: 0)
        let lines = [RootListing.header, root.line(.root), RootListing.footer(1), ""]
        try Data(lines.joined(separator: "\n").utf8).write(to: URL(fileURLWithPath: path))
    }
}

/// Disks that hold no file system.
struct UnlistedRoots: RootInspection {
    func writeListing(of disk: String, format: DiskFormat, to path: String) async throws {
        throw KilnError(.driftNoFileSystem, "nothing here")
    }
}

extension RootInspection {
    func archive(of disk: String, format: DiskFormat, to path: String) async throws {
        throw KilnError("fake", "no archives")
    }
    func clampTimes(of disk: String, to epoch: Int) async throws {}
    func copy(_ overlay: String) async throws -> RootCopy { throw KilnError("fake", "no overlays") }
    func listing(
        of copy: RootCopy,
        over disk: String,
        size: ByteCount?,
        below paths: [RootPath]
    ) async throws -> RootListing {
        throw KilnError("fake", "no copies")
    }
    func content(
        of path: RootPath,
        in copy: RootCopy,
        over disk: String,
        size: ByteCount?,
        limit: Int
    ) async throws -> [UInt8] {
        throw KilnError("fake", "no copies")
    }
    func discard(_ copy: RootCopy) {}
    func removeAbandoned(dryRun: Bool) -> [String] { [] }
    func digest(_ bytes: [UInt8]) -> String { "" }
}
