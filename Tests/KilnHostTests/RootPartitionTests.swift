import Foundation
import Glibc
import KilnEngine
import KilnModel
import KilnSystem
import Testing

@testable import KilnHost

@Suite("Roots in partitions")
struct RootPartitionTests {
    private let directory: TestDirectory
    private let inspector: RootInspector

    init() throws {
        directory = try TestDirectory()
        inspector = try RootInspector(testing: directory)
    }

    private func path(_ name: String) -> String { directory.path + "/" + name }

    private static let rootType: [UInt8] = [
        0xe3, 0xbc, 0x68, 0x4f, 0xcd, 0xe8, 0xb1, 0x4d, 0x96, 0xe7, 0xfb, 0xca, 0xf9, 0x84, 0xb7, 0x09,
    ]

    /// A GPT; partitions are in sectors.
    private func gpt(_ partitions: [(type: [UInt8], sectors: Range<UInt64>)]) -> Data {
        var disk = Data(count: 34 * 512)
        func put(_ value: UInt64, _ length: Int, at place: Int) {
            withUnsafeBytes(of: value.littleEndian) {
                disk.replaceSubrange(place..<place + length, with: $0.prefix(length))
            }
        }
        // The MBR that protects it.
        disk[446 + 4] = 0xee
        put(1, 4, at: 446 + 8)
        put(UInt64(UInt32.max), 4, at: 446 + 12)
        disk.replaceSubrange(510..<512, with: [0x55, 0xaa])
        disk.replaceSubrange(512..<520, with: "EFI PART".utf8)
        for (value, length, place) in [(2, 8, 584), (128, 4, 592), (128, 4, 596)] as [(UInt64, Int, Int)] {
            put(value, length, at: place)
        }
        for (number, partition) in partitions.enumerated() {
            let entry = 1024 + 128 * number
            disk.replaceSubrange(entry..<entry + 16, with: partition.type)
            put(partition.sectors.lowerBound, 8, at: entry + 32)
            put(partition.sectors.upperBound - 1, 8, at: entry + 40)
        }
        return disk
    }

    private func fileSystem(_ name: String, _ mebibytes: Int) async throws -> Data {
        let tree = path("tree-\(name)")
        mkdir(tree, 0o755)
        try Data("x".utf8).write(to: URL(fileURLWithPath: "\(tree)/\(name)"))
        try await Command("mke2fs", ["-q", "-t", "ext4", "-d", tree, path(name), "\(mebibytes)m"]).run()
        return try Data(contentsOf: URL(fileURLWithPath: path(name)))
    }

    private func disk(_ table: Data, _ contents: [(place: Int, content: Data)], as name: String) async throws -> String
    {
        var disk = table + Data(count: (16 << 20) - table.count)
        for (place, content) in contents { disk.replaceSubrange(place..<place + content.count, with: content) }
        try disk.write(to: URL(fileURLWithPath: path("\(name).raw")))
        try await Command("qemu-img", ["convert", "-O", "qcow2", path("\(name).raw"), path("\(name).qcow2")]).run()
        return path("\(name).qcow2")
    }

    private func names(_ disk: String) async throws -> [String] {
        let target = path("listing-\(UUID().uuidString)")
        try await inspector.writeListing(of: disk, format: .qcow2, to: target)
        return try RootListing(try Data(contentsOf: URL(fileURLWithPath: target)), of: "the test's root")
            .entries.keys.map(\.text).sorted()
    }

    @Test("the one that is marked as a root is taken, else the largest with ext4; of GPT and of MBR")
    func chosen() async throws {
        let (small, large) = (try await fileSystem("small", 2), try await fileSystem("large", 4))
        let other = [UInt8](repeating: 7, count: 16)
        let contents = [(1 << 20, small), (4 << 20, large)]
        // The largest of all holds nothing.
        func table(_ type: [UInt8]) -> Data {
            gpt([(type, 2048..<6144), (other, 8192..<16384), (other, 20000..<32000)])
        }
        let marked = try await disk(table(Self.rootType), contents, as: "marked")
        #expect(try await names(marked) == ["/", "/lost+found", "/small"])
        let unmarked = try await disk(table(other), contents, as: "unmarked")
        #expect(try await names(unmarked) == ["/", "/large", "/lost+found"])
        var mbr = Data(count: 512)
        mbr.replaceSubrange(510..<512, with: [0x55, 0xaa])
        mbr[450] = 0x83
        mbr.replaceSubrange(454..<462, with: [0, 0x20, 0, 0, 0, 0x20, 0, 0])
        let old = try await disk(mbr, contents, as: "old")
        #expect(try await names(old) == ["/", "/large", "/lost+found"])
        let target = path("archive.tar")
        try await inspector.archive(of: old, format: .qcow2, to: target)
        #expect(try await Command("tar", ["-tf", target]).run().text == "./\n./large")
    }

    @Test("what a guest did to its root is found in the partition of the guest's own table")
    func drifted() async throws {
        let large = try await fileSystem("large", 4)
        let base = try await disk(gpt([(Self.rootType, 8192..<16384)]), [(4 << 20, large)], as: "base")
        try await Command("debugfs", ["-w", "-R", "rm /large", path("large")]).run()
        let changed = try Data(contentsOf: URL(fileURLWithPath: path("large")))
        // The partition grew, as it does at a first boot.
        _ = try await disk(gpt([(Self.rootType, 8192..<30000)]), [(4 << 20, changed)], as: "guest")
        let layer = path("layer.qcow2")
        let arguments = ["convert", "-f", "raw", "-O", "qcow2", "-B", base, "-F", "qcow2", path("guest.raw"), layer]
        try await Command("qemu-img", arguments).run()
        let copy = try await inspector.copy(layer)
        defer { inspector.discard(copy) }
        let found = try await inspector.listing(of: copy, over: base, size: nil, below: [])
        #expect(found.entries.keys.map(\.text).sorted() == ["/", "/lost+found"])
    }

    @Test("a disk whose partitions hold no ext4, or lie beyond its end, has no root")
    func none() async throws {
        let other = [UInt8](repeating: 7, count: 16)
        let tables: [[(type: [UInt8], sectors: Range<UInt64>)]] = [
            [(other, 2048..<6144)], [(Self.rootType, 8192..<1 << 40)], [(Self.rootType, 0..<6144)], [],
        ]
        for (number, partitions) in tables.enumerated() {
            let disk = try await disk(gpt(partitions), [], as: "none\(number)")
            let error = try await #require(throws: KilnError.self) { try await names(disk) }
            #expect(error.code == .driftNoFileSystem)
        }
    }

    @Test("thousands of mutated tables give places on the disk or nothing")
    func mutated() {
        let size: UInt64 = 16 << 20
        let whole = Array(gpt([(Self.rootType, 2048..<6144), (Self.rootType, 8192..<16384)]))
        var state: UInt64 = 7
        func next(_ most: Int) -> Int {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Int(state >> 16) % most
        }
        for round in 0..<5000 {
            var bytes = whole
            // A table without the mark of a GPT is read as an MBR.
            if round % 4 == 0 { bytes[512] = 0 }
            for _ in 0...next(8) { bytes[446 + next(1024)] = UInt8(next(256)) }
            for range in RootPartition.candidates(bytes, diskSize: size) {
                #expect(range.lowerBound > 0 && range.upperBound <= size && range.count >= 2048)
            }
        }
        for length in [0, 511, 512, 1023, 1024, 1100] {
            _ = RootPartition.candidates(Array(whole.prefix(length)), diskSize: size)
        }
    }
}
