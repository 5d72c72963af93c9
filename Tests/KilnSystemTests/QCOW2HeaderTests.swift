import Foundation
import KilnModel
import KilnTestSupport
import Testing

@testable import KilnSystem

@Suite("The header of a qcow2 file")
struct QCOW2HeaderTests {
    private func refusal(_ disk: CraftedDisk, _ standing: QCOW2Header.Standing = .alone) -> RefusedHeader.Reason? {
        do {
            _ = try QCOW2Header(HeaderBytes(disk.bytes), standing: standing)
            return nil
        } catch { return error.reason }
    }

    @Test("versions 2 and 3 are accepted with their disk size", arguments: [2, 3] as [UInt32])
    func accepted(version: UInt32) throws {
        let disk = CraftedDisk(version: version)
        let header = try QCOW2Header(HeaderBytes(disk.bytes), standing: .alone)
        #expect(header.version == version)
        #expect(header.virtualSize == ByteCount(bytes: 1 << 30))
    }

    @Test(
        "a spoiled word is refused for its own reason",
        arguments: [
            (0, 0x7f45_4c46, .otherFormat), (4, 1, .version), (4, 4, .version), (12, 512, .backingFile),
            (16, 11, .backingFile), (32, 1, .encrypted), (32, 2, .encrypted), (60, 1, .snapshots), (68, 4, .snapshots),
            (20, 8, .geometry), (20, 22, .geometry), (24, 0x7fff_ffff, .tooLarge), (28, 0x4000_0001, .geometry),
            (36, 1, .geometry), (36, 0xffff_ffff, .geometry), (40, 0xffff_ffff, .geometry),
            (44, 0x4000_0000, .geometry),
            (56, 0, .geometry), (76, 1, .unclean), (76, 2, .unclean), (76, 4, .dataFile), (76, 0x20, .unknownFeature),
            (72, 0x8000_0000, .unknownFeature), (96, 7, .geometry), (100, 96, .tooShort), (100, 0xffff_fff0, .geometry),
        ] as [(Int, UInt32, RefusedHeader.Reason)]
    )
    func spoiled(offset: Int, value: UInt32, expected: RefusedHeader.Reason) {
        var disk = CraftedDisk()
        disk.put(value, at: offset)
        #expect(refusal(disk) == expected)
    }

    @Test(
        "an extension that names another file or a key is refused",
        arguments: [
            (0xe279_2aca, .backingFile), (0x4441_5441, .dataFile), (0x0537_be77, .encrypted),
        ] as [(UInt32, RefusedHeader.Reason)]
    )
    func extensions(type: UInt32, expected: RefusedHeader.Reason) {
        var disk = CraftedDisk()
        // Behind a harmless one, whose length is not a multiple of eight.
        disk.put(0x6803_f857, at: 104)
        disk.put(5, at: 108)
        disk.put(type, at: 120)
        disk.put(3, at: 124)
        #expect(refusal(disk) == expected)
    }

    @Test("extensions that lead out of the header are refused")
    func endlessExtensions() {
        var disk = CraftedDisk()
        disk.put(1, at: 104)
        disk.put(0xffff_ffff, at: 108)
        #expect(refusal(disk) == .geometry)
    }

    @Test("every truncation is refused and none is read beyond its end", arguments: 0..<112)
    func truncated(length: Int) {
        var disk = CraftedDisk()
        disk.bytes.removeLast(disk.bytes.count - length)
        #expect(refusal(disk) != nil)
    }

    @Test("a layer may stand on a qcow2 file, which the header names, and on nothing else")
    func layer() throws {
        var disk = CraftedDisk()
        disk.put(0xe279_2aca, at: 104)
        disk.put(5, at: 108)
        disk.put("qcow2", at: 112)
        disk.putLong(200, at: 8)
        disk.put(6, at: 16)
        disk.put("/below", at: 200)
        #expect(try QCOW2Header(HeaderBytes(disk.bytes), standing: .onLayer).backing == "/below")
        #expect(refusal(disk) == .backingFile)
        disk.put("raw\0\0", at: 112)
        #expect(refusal(disk, .onLayer) == .backingFile)
        disk.put("qcow2", at: 112)
        for (offset, length) in [(200, 0), (200, 1024), (1 << 16, 6), ((1 << 16) - 3, 6)] as [(UInt64, UInt32)] {
            disk.putLong(offset, at: 8)
            disk.put(length, at: 16)
            #expect(refusal(disk, .onLayer) == .backingFile, "\(offset) \(length)")
        }
    }

    @Test("of spoilt headers only those are accepted that name no other file", .timeLimit(.minutes(30)))
    func mutated() throws {
        let wholes = [CraftedDisk(version: 2), CraftedDisk()].map(\.bytes)
        var accepted = 0
        let numbers = Mutations.numbers(10_000, of: 250_000)
        for number in numbers {
            var bytes = wholes[number % 2]
            // The header and the extensions behind it.
            Mutations.spoil(&bytes, in: Array(0..<160), number: number)
            guard let header = try? QCOW2Header(HeaderBytes(bytes), standing: .alone) else { continue }
            accepted += 1
            let isApart = header.backing == nil && bytes[8..<20].allSatisfy { $0 == 0 }
            // The bits of version 3 that say: dirty, corrupt, an external data file.
            let isPlain = header.version == 2 || bytes[79] & 0b111 == 0
            if !isApart || !isPlain { Issue.record("mutation \(number) was accepted") }
        }
        // Where one is replayed, it may be one that is refused.
        #expect(numbers.count == 1 || accepted > 0)
    }

    @Test("a layer of Kiln's own is refused behind a symbolic link, with the reason of its header")
    func file() throws {
        let directory = try TemporaryDirectory()
        let (path, link) = (directory.path + "/disk", directory.path + "/link")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
        try Data(CraftedDisk().bytes).write(to: URL(fileURLWithPath: path))
        #expect(try QCOW2Header(of: path).backing == nil)
        #expect(#expect(throws: KilnError.self) { try QCOW2Header(of: link) }?.code == .diskRefused)
        try Data("text".utf8).write(to: URL(fileURLWithPath: path))
        let error = #expect(throws: KilnError.self) { try QCOW2Header(of: path) }
        #expect(error?.code == .diskRefused)
        #expect(error?.message.contains("not in the qcow2 format") == true)
    }
}
