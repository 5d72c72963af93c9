import Foundation
import KilnModel
import Testing

@testable import KilnImages

@Suite("The header of a qcow2 file")
struct QcowHeaderTests {
    private func refusal(_ disk: CraftedDisk) -> QcowHeader.Refusal? {
        do {
            _ = try QcowHeader(disk.bytes, fileSize: UInt64(disk.bytes.count))
            return nil
        } catch { return error.reason }
    }

    @Test("versions 2 and 3 are accepted with their disk size", arguments: [2, 3] as [UInt32])
    func accepted(version: UInt32) throws {
        let disk = CraftedDisk(version: version)
        let header = try QcowHeader(disk.bytes, fileSize: UInt64(disk.bytes.count))
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
        ] as [(Int, UInt32, QcowHeader.Refusal)]
    )
    func spoiled(offset: Int, value: UInt32, expected: QcowHeader.Refusal) {
        var disk = CraftedDisk()
        disk.put(value, at: offset)
        #expect(refusal(disk) == expected)
    }

    @Test(
        "an extension that names another file or a key is refused",
        arguments: [
            (0xe279_2aca, .backingFile), (0x4441_5441, .dataFile), (0x0537_be77, .encrypted),
        ] as [(UInt32, QcowHeader.Refusal)]
    )
    func extensions(type: UInt32, expected: QcowHeader.Refusal) {
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

    @Test("a FIFO, a folder and a device are refused at once")
    func notRegular() throws {
        let folder = try TemporaryFolder()
        let fifo = folder.path + "/fifo"
        #expect(mkfifo(fifo, 0o600) == 0)
        let link = folder.path + "/link"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "/dev/zero")
        for path in [fifo, folder.path, link] {
            let error = #expect(throws: KilnError.self) { try QcowHeader(ofFile: path) }
            #expect(error?.code == "file.not-regular")
        }
    }
}
