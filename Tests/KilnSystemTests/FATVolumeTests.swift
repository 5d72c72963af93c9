import KilnTestSupport
import Testing

@testable import KilnSystem

@Suite("Names in FAT file systems")
struct FATVolumeTests {
    @Test("the names in a folder are found in every width of FAT", arguments: CraftedFAT.Width.allCases)
    func names(width: CraftedFAT.Width) throws {
        let crafted = CraftedFAT(width, loaders: ["BOOTX64 EFI", "FBX64   EFI", "GRUB    CFG"])
        let volume = try #require(try FATVolume(crafted.bytes))
        #expect(try volume.names(in: []) == ["EFI"])
        #expect(try volume.names(in: ["EFI", "BOOT"]) == ["BOOTX64.EFI", "FBX64.EFI", "GRUB.CFG"])
        #expect(try volume.names(in: ["EFI", "DEBIAN"]) == nil)
        #expect(try volume.names(in: ["EFI", "BOOT", "BOOTX64.EFI"]) == nil)
    }

    @Test("what is no FAT file system is none")
    func other() throws {
        for bytes in [[], [UInt8](repeating: 0, count: 4096), CraftedTable(bootCode: true).bytes] {
            #expect(try FATVolume(bytes) == nil)
        }
    }

    @Test("a chain of clusters that bites its tail has an end", arguments: [CraftedFAT.Width.narrow, .middle, .wide])
    func loop(width: CraftedFAT.Width) throws {
        var crafted = CraftedFAT(width)
        let sectors = width == .middle ? 18 : 2
        let folder = (sectors + (width == .wide ? 0 : 1) + 1) * 512
        // A folder without an end, whose only cluster is followed by itself.
        for entry in stride(from: folder, to: folder + 512, by: 32) { crafted.bytes[entry] = 0xe5 }
        switch width {
        case .narrow: crafted.bytes.replaceSubrange(516..<518, with: [0x03 << 4 | 0x0f, 0])
        case .middle: crafted.bytes.replaceSubrange(518..<520, with: [3, 0])
        case .wide: crafted.bytes.replaceSubrange(524..<528, with: [3, 0, 0, 0])
        }
        let volume = try #require(try FATVolume(crafted.bytes))
        #expect(try volume.names(in: ["EFI", "BOOT"]) == [])
    }

    @Test(
        "spoilt file systems are read to an end",
        .timeLimit(.minutes(30)),
        arguments: CraftedFAT.Width.allCases
    )
    func mutated(width: CraftedFAT.Width) throws {
        let whole = CraftedFAT(width).bytes
        // The boot sector, the table, and the entries of folders.
        let places = Array(11..<48) + Array(512..<528) + Array(1024..<min(whole.count, 2048))
        for number in Mutations.numbers(3_000, of: 70_000) {
            var bytes = whole
            Mutations.spoil(&bytes, in: places, number: number)
            if let volume = try FATVolume(bytes) { _ = try volume.names(in: ["EFI", "BOOT"]) }
        }
    }
}
