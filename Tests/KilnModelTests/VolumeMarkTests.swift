import Foundation
import Testing

@testable import KilnModel

@Suite("volume mark")
struct VolumeMarkTests {
    @Test("a mark is read as it was written, and two are never the same")
    func roundTrip() throws {
        let mark = VolumeMark()
        #expect(mark.bytes.count == VolumeMark.length)
        #expect(VolumeMark.finding(in: mark.bytes) == .mark(mark))
        #expect(mark != VolumeMark())
        #expect(try JSONDecoder().decode(VolumeMark.self, from: JSONEncoder().encode(mark)) == mark)
    }

    @Test("a damaged bit, wherever it is, does not lose the mark")
    func damagedBit() {
        let mark = VolumeMark()
        for bit in 0..<VolumeMark.length * 8 {
            var bytes = mark.bytes
            bytes[bit / 8] ^= 1 << (bit % 8)
            #expect(VolumeMark.finding(in: bytes) == .mark(mark), "bit \(bit)")
        }
    }

    @Test("what a format leaves is no mark: zeros, ones, noise, a part of a mark, too few bytes")
    func formatted() {
        let zeros = [UInt8](repeating: 0, count: VolumeMark.length)
        let ones = [UInt8](repeating: 0xff, count: VolumeMark.length)
        let noise = (0..<VolumeMark.length).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ 13) }
        let part = Array(VolumeMark().bytes.prefix(128)) + zeros.prefix(384)
        for bytes in [zeros, ones, noise, part, [], Array(zeros.dropLast())] {
            #expect(VolumeMark.finding(in: bytes) == .none)
        }
    }

    @Test("a mark of a later format is told as that")
    func newer() {
        var bytes = VolumeMark().bytes
        for copy in stride(from: 0, to: VolumeMark.length, by: 64) { bytes[copy + 8] = 2 }
        #expect(VolumeMark.finding(in: bytes) == .newer(2))
    }
}
