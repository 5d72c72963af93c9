/// Little-endian numbers in some bytes; nothing where they lie outside.
struct LittleEndianBytes {
    let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func byte(at offset: Int) -> UInt8? { number(at: offset, 1).map { UInt8($0) } }

    func half(at offset: Int) -> UInt16? { number(at: offset, 2).map { UInt16($0) } }

    func word(at offset: Int) -> UInt32? { number(at: offset, 4).map { UInt32($0) } }

    func long(at offset: Int) -> UInt64? { number(at: offset, 8) }

    private func number(at offset: Int, _ count: Int) -> UInt64? {
        guard offset >= 0, offset <= bytes.count - count else { return nil }
        var value: UInt64 = 0
        // Not by closures or generic shifts, which take a debug build ten times as long.
        var index = offset + count
        while index > offset {
            index -= 1
            value = value &* 256 | UInt64(bytes[index])
        }
        return value
    }
}
