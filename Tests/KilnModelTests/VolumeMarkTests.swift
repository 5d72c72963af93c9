import Foundation
import Testing

@testable import KilnModel

@Suite("volume mark")
struct VolumeMarkTests {
    /// A superblock that says when its file system was made, and what is behind it.
    private func superblock(_ time: UInt8 = 7) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: VolumeMark.reach - 1024)
        (bytes[0x38], bytes[0x39]) = (0x53, 0xef)
        for place in 0x108..<0x10c { bytes[place] = time }
        return bytes
    }

    private func disk(_ mark: VolumeMark, _ time: UInt8 = 7) throws -> [UInt8] {
        let blank = boot + [UInt8](repeating: 0, count: 512) + superblock(time)
        return boot + (try #require(mark.bytes(on: blank))) + superblock(time)
    }

    /// What boot loaders have.
    private let boot = [UInt8](repeating: 0, count: 512)

    /// The same disk with other bytes at a place.
    private func changed(_ disk: [UInt8], _ place: Int, _ bytes: [UInt8]) -> [UInt8] {
        var disk = disk
        disk.replaceSubrange(place..<place + bytes.count, with: bytes)
        return disk
    }

    /// Sector 0 as fdisk leaves it, with one partition.
    private func partitioned(_ disk: [UInt8]) -> [UInt8] {
        let entry: [UInt8] = [0, 1, 1, 0, 0x83, 0x0a, 8, 2, 0x3f, 0, 0, 0, 0xc1, 0x7f, 0, 0]
        return changed(changed(disk, 446, entry), 510, [0x55, 0xaa])
    }

    @Test("a mark is read as it was written, and two are never the same")
    func roundTrip() throws {
        let mark = VolumeMark()
        #expect(VolumeMark.finding(in: try disk(mark)) == .mark(mark))
        #expect(mark != VolumeMark())
        #expect(try JSONDecoder().decode(VolumeMark.self, from: JSONEncoder().encode(mark)) == mark)
    }

    @Test("a damaged bit, wherever it is in the mark, does not lose it")
    func damagedBit() throws {
        let mark = VolumeMark()
        let whole = try disk(mark)
        for bit in 0..<VolumeMark.length * 8 {
            var bytes = whole
            bytes[VolumeMark.offset + bit / 8] ^= 1 << (bit % 8)
            #expect(VolumeMark.finding(in: bytes) == .mark(mark), "bit \(bit)")
        }
    }

    @Test("what a format leaves is no mark: zeros, ones, noise, a part of a mark, too few bytes")
    func formatted() throws {
        let zeros = [UInt8](repeating: 0, count: VolumeMark.length)
        let ones = [UInt8](repeating: 0xff, count: VolumeMark.length)
        let noise = (0..<VolumeMark.length).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ 13) }
        let part = Array(try disk(VolumeMark())[512..<640]) + zeros.prefix(384)
        for bytes in [zeros, ones, noise, part] {
            #expect(VolumeMark.finding(in: boot + bytes + superblock()) == .none)
        }
        for bytes in [[], zeros, Array(try disk(VolumeMark()).dropLast())] {
            #expect(VolumeMark.finding(in: bytes) == .none)
        }
    }

    @Test("a mark that a format left is one of a file system that is gone")
    func leftByFormat() throws {
        let mark = Array(try disk(VolumeMark()).prefix(1024))
        #expect(VolumeMark.finding(in: mark + superblock(8)) == .none)
        #expect(VolumeMark.finding(in: mark + [UInt8](repeating: 0, count: VolumeMark.reach - 1024)) == .none)
    }

    @Test("none is written where a journal is still to be replayed, which might undo it; one that stands there counts")
    func unreplayed() throws {
        var head = superblock()
        head[0x60] |= 0x4
        #expect(VolumeMark().bytes(on: [UInt8](repeating: 0, count: 1024) + head) == nil)
        let mark = VolumeMark()
        let written = Array(try disk(mark).prefix(1024))
        #expect(VolumeMark.finding(in: written + head) == .mark(mark))
    }

    @Test("a mark of a later format is told as that")
    func newer() throws {
        var bytes = try disk(VolumeMark())
        for copy in stride(from: 512, to: 1024, by: 64) { bytes[copy + 8] = 2 }
        #expect(VolumeMark.finding(in: bytes) == .newer(2))
    }

    @Test(
        "what something else wrote beside mark and superblock has taken the disk",
        arguments: [
            (0, Array("LUKS".utf8) + [0xba, 0xbe]), (0, Array("XFSB".utf8)), (0, Array("LABELONE".utf8)),
            (1536, Array("LABELONE".utf8)), (0, [0xfc, 0x4e, 0x2b, 0xa9, 1, 0, 0, 0]),
            (4096, [0xfc, 0x4e, 0x2b, 0xa9, 1, 0, 0, 0]),
            (4120, [0xc6, 0x85, 0x73, 0xf6, 0x66, 0xce, 0x90, 0xa9]),
        ] as [(Int, [UInt8])]
    )
    func taken(_ place: Int, _ magic: [UInt8]) throws {
        #expect(VolumeMark.finding(in: changed(try disk(VolumeMark()), place, magic)) == .none)
    }

    @Test("so has a partition table, and not the boot sector of a boot loader")
    func partitions() throws {
        let mark = VolumeMark()
        let whole = try disk(mark)
        #expect(VolumeMark.finding(in: partitioned(whole)) == .none)
        // The mark of a boot sector alone, as GRUB's; then with code where the entries would be, as extlinux's.
        let bootable = changed(whole, 510, [0x55, 0xaa])
        #expect(VolumeMark.finding(in: bootable) == .mark(mark))
        let code = (0..<64).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) }
        #expect(VolumeMark.finding(in: changed(bootable, 446, code)) == .mark(mark))
        // An entry without a type, and one without a length.
        let entry = Array(partitioned(whole)[446..<462])
        #expect(VolumeMark.finding(in: changed(bootable, 446, changed(entry, 4, [0]))) == .mark(mark))
        #expect(VolumeMark.finding(in: changed(bootable, 446, changed(entry, 12, [0, 0, 0, 0]))) == .mark(mark))
    }

    @Test("what stood there when the mark was written is no news, and what came later is")
    func knownSigns() throws {
        let mark = VolumeMark()
        let left = partitioned(boot + [UInt8](repeating: 0, count: 512) + superblock())
        let marked = changed(left, VolumeMark.offset, try #require(mark.bytes(on: left)))
        #expect(VolumeMark.finding(in: marked) == .mark(mark))
        #expect(VolumeMark.finding(in: changed(marked, 4096, [0xfc, 0x4e, 0x2b, 0xa9, 1, 0, 0, 0])) == .none)
    }

    @Test("a mark is not written over a label of something else")
    func noOverwriting() {
        let blank = boot + [UInt8](repeating: 0, count: 512) + superblock()
        for label in ["LABELONE", "EFI PART"] {
            #expect(VolumeMark().bytes(on: changed(blank, VolumeMark.offset, Array(label.utf8))) == nil)
        }
    }
}
