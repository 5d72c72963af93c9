import Foundation
import Testing

@testable import KilnModel

@Suite("volume mark")
struct VolumeMarkTests {
    /// The head of a superblock that says when its file system was made.
    private func superblock(_ time: UInt8 = 7) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 512)
        (bytes[0x38], bytes[0x39]) = (0x53, 0xef)
        for place in 0x108..<0x10c { bytes[place] = time }
        return bytes
    }

    private func disk(_ mark: VolumeMark, _ time: UInt8 = 7) throws -> [UInt8] {
        let blank = [UInt8](repeating: 0, count: 512) + superblock(time)
        return try #require(mark.bytes(on: blank)) + superblock(time)
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
            bytes[bit / 8] ^= 1 << (bit % 8)
            #expect(VolumeMark.finding(in: bytes) == .mark(mark), "bit \(bit)")
        }
    }

    @Test("what a format leaves is no mark: zeros, ones, noise, a part of a mark, too few bytes")
    func formatted() throws {
        let zeros = [UInt8](repeating: 0, count: VolumeMark.length)
        let ones = [UInt8](repeating: 0xff, count: VolumeMark.length)
        let noise = (0..<VolumeMark.length).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ 13) }
        let part = Array(try disk(VolumeMark()).prefix(128)) + zeros.prefix(384)
        for bytes in [zeros, ones, noise, part] { #expect(VolumeMark.finding(in: bytes + superblock()) == .none) }
        for bytes in [[], zeros, Array(try disk(VolumeMark()).dropLast())] {
            #expect(VolumeMark.finding(in: bytes) == .none)
        }
    }

    @Test("a mark that a format left is one of a file system that is gone")
    func leftByFormat() throws {
        let mark = Array(try disk(VolumeMark()).prefix(VolumeMark.length))
        #expect(VolumeMark.finding(in: mark + superblock(8)) == .none)
        #expect(VolumeMark.finding(in: mark + [UInt8](repeating: 0, count: 512)) == .none)
    }

    @Test("none is written where a journal is still to be replayed, which might undo it; one that stands there counts")
    func unreplayed() throws {
        var head = superblock()
        head[0x60] |= 0x4
        #expect(VolumeMark().bytes(on: [UInt8](repeating: 0, count: VolumeMark.length) + head) == nil)
        let mark = VolumeMark()
        let written = Array(try disk(mark).prefix(VolumeMark.length))
        #expect(VolumeMark.finding(in: written + head) == .mark(mark))
    }

    @Test("a mark of a later format is told as that")
    func newer() throws {
        var bytes = try disk(VolumeMark())
        for copy in stride(from: 0, to: VolumeMark.length, by: 64) { bytes[copy + 8] = 2 }
        #expect(VolumeMark.finding(in: bytes) == .newer(2))
    }
}
