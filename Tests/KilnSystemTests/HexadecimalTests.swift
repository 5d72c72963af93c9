import KilnSystem
import Testing

@Suite struct HexadecimalTests {
    @Test("each byte has two digits")
    func digits() {
        #expect(([0, 9, 10, 15, 16, 255] as [UInt8]).hexadecimal == "00090a0f10ff")
        #expect([UInt8]().hexadecimal.isEmpty)
    }
}
