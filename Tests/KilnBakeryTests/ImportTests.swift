import Foundation
import KilnEngine
import KilnModel
import KilnSystem
import KilnTestSupport
import Synchronization
import Testing

@testable import KilnBakery
@testable import KilnStore

@Suite("Disks in the forms that others publish", .timeLimit(.minutes(2)))
struct ImportTests {
    private let folder: TemporaryDirectory
    private let store: ImageStore

    init() throws {
        folder = try TemporaryDirectory()
        store = ImageStore(root: folder.path + "/images")
    }

    private func add(
        _ source: DiskSource,
        version: String = "1",
        firmware: ImageManifest.Firmware? = nil,
        note: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws -> StoredImage {
        let added = AddedImage(name: try Name("own"), version: version, boot: .firmware(firmware))
        return try await store.add(source, as: added, roots: UnlistedRoots(), note: note)
    }

    private func file(_ name: String, _ bytes: [UInt8]) throws -> DiskSource {
        DiskSource(.file(try folder.file(name, bytes)))
    }

    private func error(_ source: DiskSource, firmware: ImageManifest.Firmware? = nil) async -> KilnError? {
        await #expect(throws: KilnError.self) { try await add(source, version: "bad", firmware: firmware) }
    }

    /// A disk of 8 MiB, byte by byte.
    private func raw(_ start: [UInt8]) -> [UInt8] { start + [UInt8](repeating: 0, count: (8 << 20) - start.count) }

    private func packed(_ path: String, by tool: String...) async throws -> [UInt8] {
        let output = try await Command("sh", ["-c", "\(tool.joined(separator: " ")) -c < \(path) > \(path).packed"])
            .run()
        #expect(output.errors.isEmpty)
        return Array(try Data(contentsOf: URL(fileURLWithPath: path + ".packed")))
    }

    /// Nothing of what failed is left.
    private func expectNothing() throws {
        #expect(try FileManager.default.contentsOfDirectory(atPath: store.work).isEmpty)
        #expect(try store.list().isEmpty)
    }

    @Test(
        "a packed disk is told by its first bytes, whatever it is called, and unpacked",
        arguments: ["xz", "gzip", "zstd"]
    )
    func packed(tool: String) async throws {
        let path = try folder.file("disk", raw(CraftedTable(bootCode: true).bytes))
        let image = try await add(try file("disk.img", await packed(path, by: tool)))
        #expect(image.manifest.virtualSize == .mebibytes(8) && image.manifest.boot == .firmware(.bios))
        let qcow2 = try folder.file("disk.qcow2", CraftedDisk.startedByBoth.bytes)
        let other = try await add(try file("other", await packed(qcow2, by: tool)), version: "2", firmware: .uefi)
        #expect(other.manifest.boot == .firmware(.uefi))
        #expect(try Data(contentsOf: URL(fileURLWithPath: other.disk)) == Data(CraftedDisk.startedByBoth.bytes))
    }

    @Test(
        "a packed disk that is cut off, damaged, or packed twice is refused by name",
        arguments: ["xz", "gzip", "zstd"]
    )
    func damaged(tool: String) async throws {
        let noise = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 13) }
        let path = try folder.file("disk", CraftedTable(bootCode: true).bytes + noise)
        let whole = try await packed(path, by: tool)
        for bytes in [Array(whole.prefix(whole.count / 2)), Array(whole.prefix(40) + whole.dropFirst(60))] {
            let found = await error(try file("bad.packed", bytes))
            #expect(found?.code == .imageNotUnpacked)
            #expect(found?.message.contains("bad.packed") == true && found?.message.contains("/work/") == false)
        }
        let twice = try await packed(folder.file("once", whole), by: tool)
        let found = await error(try file("twice", twice))
        #expect(found?.code == .imageRefusedOtherFormat && found?.message.contains("packed with") == true)
        try expectNothing()
    }

    @Test("a bomb is ended by its ratio before it fills the disk")
    func bomb() async throws {
        let path = folder.path + "/bomb"
        try await Command("sh", ["-c", "head -c 1200M /dev/zero | zstd -qc > \(path)"], deadline: .seconds(100)).run()
        let found = await error(DiskSource(.file(path)))
        #expect(found?.code == .diskBomb && found?.exit == .invalidFile)
        try expectNothing()
    }

    @Test("a raw disk is converted; one that ends within a sector is refused by name; one that may not start is taken")
    func raws() async throws {
        let good = try await add(try file("disk.raw", raw(CraftedTable(bootCode: true).bytes)))
        #expect(good.manifest.virtualSize == .mebibytes(8))
        #expect(try QCOW2Header(ofImage: good.disk).backing == nil)
        try store.remove(ImageReference("own:1"))
        let odd = await error(try file("odd.raw", raw(CraftedTable(bootCode: true).bytes) + [0]))
        #expect(odd?.code == .imageRefusedGeometry)
        var system = [UInt8](repeating: 0, count: 4096)
        system.replaceSubrange(1080..<1082, with: [0x53, 0xef])
        let bare = try await add(try file("bare.raw", raw(system)))
        #expect(bare.manifest.boot == .firmware(.bios))
        try store.remove(ImageReference("own:1"))
        var table = CraftedTable(bootCode: true)
        table.gpt(lastUsable: 1 << 21)
        let short = await error(try file("short.raw", raw(table.bytes)))
        #expect(short?.code == .imageRefusedGeometry && short?.message.contains("larger disk") == true)
        try expectNothing()
    }

    @Test("the disks of other programs are refused with the command that converts them")
    func foreign() async throws {
        for (mark, offset, format) in [("KDMV", 0, "vmdk"), ("vhdxfile", 0, "vhdx"), ("conectix", 0, "vpc")] {
            var bytes = [UInt8](repeating: 0, count: 4096)
            bytes.replaceSubrange(offset..<offset + mark.utf8.count, with: Array(mark.utf8))
            let found = await error(try file("disk.\(format)", bytes))
            #expect(found?.code == .imageRefusedOtherFormat && found?.hint?.contains("-f \(format)") == true)
        }
        try expectNothing()
    }

    // MARK: - Firmware

    private func uefi(_ file: CraftedFAT, bootCode: Bool = false) -> [UInt8] {
        var table = CraftedTable(bootCode: bootCode)
        table.gpt(lastUsable: (1 << 14) - 34)
        table.gpt(1, type: .system, first: 128, last: 255)
        return raw(table.bytes + file.bytes)
    }

    @Test("the firmware is found on the disk, and told; a hybrid disk is started by either")
    func firmware() async throws {
        let told = Mutex<[String]>([])
        let both = try file("both.raw", uefi(CraftedFAT(), bootCode: true))
        let image = try await add(both) { line in told.withLock { $0.append(line) } }
        #expect(image.manifest.boot == .firmware(.bios) && image.manifest.firmware == [.bios, .uefi])
        let line = try #require(told.withLock { $0 }.first { $0.contains("is started by") })
        #expect(
            line.contains("bios, and by uefi") && line.contains("GPT with 1 partition") && line.contains("BOOTX64.EFI")
        )
        let modern = try file("uefi.raw", uefi(CraftedFAT(loaders: ["BOOTX64 EFI", "GRUBX64 EFI"])))
        let second = try await add(modern, version: "2").manifest
        #expect(second.boot == .firmware(.uefi) && second.firmware == [.uefi])
    }

    @Test("a firmware that can't start the disk is refused at once, with what was found")
    func wrongFirmware() async throws {
        let modern = await error(try file("uefi.raw", uefi(CraftedFAT())), firmware: .bios)
        #expect(modern?.code == .imageWrongFirmware && modern?.message.contains("no boot code") == true)
        let old = await error(try file("bios.raw", raw(CraftedTable(bootCode: true).bytes)), firmware: .uefi)
        #expect(old?.code == .imageWrongFirmware && old?.message.contains("no EFI system partition") == true)
        let foreign = await error(try file("arm.raw", uefi(CraftedFAT(loaders: ["BOOTAA64EFI"]))))
        #expect(foreign?.code == .imageNoFirmware && foreign?.message.contains("'BOOTAA64.EFI'") == true)
        try expectNothing()
    }

    @Test("an EFI system partition that can't be looked into has the benefit of the doubt")
    func unread() throws {
        #expect(try BootSigns.loader(in: [UInt8](repeating: 0, count: 4096)) == .unread)
        #expect(try BootSigns.loader(in: CraftedFAT().bytes) == .present)
        #expect(try BootSigns.loader(in: CraftedFAT(loaders: []).bytes) == .absent([]))
    }

    // MARK: - Checksums and servers

    @Test("a file of this host is compared before anything is made of it")
    func localChecksum() async throws {
        let path = try folder.file("disk.qcow2", CraftedDisk.bootable.bytes)
        let right = try Checksum(of: path, .sha512)
        let wrong = try #require(Checksum(String(repeating: "0", count: 64)))
        let found = await error(DiskSource(.file(path), checksums: [right, wrong]))
        #expect(found?.code == .checksumMismatch && found?.message.contains(path) == true)
        try expectNothing()
        let sums = try folder.file("SHA512SUMS", Array("\(right.hex)  disk.qcow2\n".utf8))
        _ = try await add(DiskSource(.file(path), checksums: [right], sums: .file(sums)))
    }

    @Test("a disk and its list come from a server; without any checksum nothing is asked for")
    func server() async throws {
        let bytes = CraftedDisk.bootable.bytes
        let checksum = try Checksum(of: folder.file("disk", bytes), .sha512)
        let list = "\(String(repeating: "0", count: 128))  other.qcow2\n\(checksum.hex)  disk.qcow2\n"
        let server = try TestServer { peer in
            FileServer(content: peer.path == "/SHA512SUMS" ? Array(list.utf8) : bytes).answer(peer)
        }
        let url = try DownloadURL("http://127.0.0.1:\(server.port)/disk.qcow2")
        #expect(await error(DiskSource(.url(url)))?.code == .checksumRequired)
        #expect(server.requests.isEmpty)
        let sums = try DiskSource.Place.url(url.beside("SHA512SUMS"))
        let told = Mutex<[String]>([])
        var source = DiskSource(.url(url), sums: sums)
        let image = try await add(source) { line in told.withLock { $0.append(line) } }
        #expect(image.manifest.boot == .firmware(.bios))
        #expect(told.withLock { $0 }.contains { $0.contains("came by http") })
        source.isOffline = true
        _ = try await add(source, version: "2")
        #expect(server.requests.count == 2)
        let other = try DownloadURL("http://127.0.0.1:\(server.port)/new.qcow2")
        let missing = await error(DiskSource(.url(other), sums: sums))
        #expect(missing?.code == .checksumMissing && missing?.message.contains("'other.qcow2'") == true)
    }
}
