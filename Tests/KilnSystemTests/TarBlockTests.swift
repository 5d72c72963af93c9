import KilnModel
import Testing

@testable import KilnSystem

@Suite("A header of a tar archive")
struct TarBlockTests {
    @Test(
        "a size is read as it was written, also where octal digits don't do",
        arguments: [0, 1, 511, 512, (1 << 33) - 1, 1 << 33, 1 << 44]
    )
    func sizes(size: Int) throws {
        let block = try TarBlock(TarBlock(file: "disk.qcow2", size: size).bytes)
        #expect(try block.size == size)
        #expect(block.name == Array("disk.qcow2".utf8) && block.type == "0")
        #expect(block.bytes.count == TarBlock.length)
        #expect(TarBlock.padded(size) >= size && TarBlock.padded(size) % TarBlock.length == 0)
    }

    @Test("a changed byte anywhere is found by the sum")
    func damaged() {
        let whole = TarBlock(file: "a", size: 5).bytes
        for place in stride(from: 0, to: TarBlock.length, by: 7) where !(148..<156).contains(place) {
            var bytes = whole
            bytes[place] ^= 1
            #expect(throws: TarArchive.Refusal.self) { try TarBlock(bytes) }
        }
        #expect(throws: TarArchive.Refusal.self) { try TarBlock(whole.dropLast()) }
        #expect(TarBlock.isEnd([UInt8](repeating: 0, count: TarBlock.length)) && !TarBlock.isEnd(whole))
    }
}
