import Foundation
import KilnModel
import Testing

@Suite struct ByteCountTests {
    @Test(
        "a whole number with a binary unit is read exactly",
        arguments: [("1KiB", 1024), ("256MiB", 268_435_456), ("2GiB", 2_147_483_648), ("1TiB", 1_099_511_627_776)]
    )
    func accepted(_ text: String, _ bytes: UInt64) throws {
        let size = try #require(ByteCount(text))
        #expect(size.bytes == bytes)
        #expect(size.description == text)
    }

    @Test(
        "anything that could be misread is refused",
        arguments: [
            "", "256M", "256MB", "256", "MiB", "0MiB", "-1MiB", "+1MiB", "1.5GiB", " 1MiB", "1 MiB", "1MiB ", "1mib",
            "٣MiB", "0x10MiB", "9999999999999TiB", "99999999999999999999KiB",
        ]
    )
    func refused(_ text: String) { #expect(ByteCount(text) == nil) }

    @Test("the written form is the shortest exact one")
    func shortest() {
        #expect(ByteCount(bytes: 1536 << 20).description == "1536MiB")
        #expect(ByteCount.mebibytes(1024).description == "1GiB")
        #expect(ByteCount(bytes: 1000).description == "1000")
        #expect(ByteCount(bytes: 0).description == "0")
    }

    @Test("every size survives JSON", arguments: [0, 1, 1000, 1024, 268_435_456, 268_435_457, UInt64.max])
    func json(_ bytes: UInt64) throws {
        let size = ByteCount(bytes: bytes)
        #expect(try JSONDecoder().decode(ByteCount.self, from: JSONEncoder().encode(size)) == size)
    }
}
