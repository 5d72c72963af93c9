/// The block of a tar archive that says what comes next.
///
/// https://www.gnu.org/software/tar/manual/html_node/Standard.html
struct TarBlock {
    /// Of this block and all others: content is filled up to it.
    static let size = 512

    private let bytes: ArraySlice<UInt8>

    /// A block from its bytes, of which there are ``size``.
    init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }

    /// Whether it is the end: all zeros.
    var isEnd: Bool { bytes.allSatisfy { $0 == 0 } }

    /// Refuses a block whose sum is not that of its bytes, with blanks in the place of the sum.
    func requireSum() throws(TarArchive.Refusal) {
        let own = bytes[place(148, 8)]
        let sum = bytes.reduce(0) { $0 + Int($1) } - own.reduce(0) { $0 + Int($1) } + 8 * 32
        guard try number(148, 8) == sum else {
            throw TarArchive.Refusal(description: "is damaged: a header's sum is wrong")
        }
    }

    // Only ustar's own, not GNU's, has a first part of the name in a field of its own.
    var name: [UInt8] {
        let name = field(0, 100)
        guard bytes[place(257, 6)].elementsEqual("ustar\0".utf8) else { return name }
        let prefix = field(345, 155)
        return prefix.isEmpty ? name : prefix + [UInt8(ascii: "/")] + name
    }

    var target: [UInt8] { field(157, 100) }

    var type: Character { Character(UnicodeScalar(bytes[bytes.startIndex + 156])) }

    /// The bytes of content that follow; links, devices, folders and FIFOs have none, whatever is written there.
    var contentSize: Int {
        get throws(TarArchive.Refusal) {
            ["1", "2", "3", "4", "5", "6"].contains(type) ? 0 : try number(124, 12)
        }
    }

    var mode: Int { get throws(TarArchive.Refusal) { try number(100, 8) } }
    var user: Int { get throws(TarArchive.Refusal) { try number(108, 8) } }
    var group: Int { get throws(TarArchive.Refusal) { try number(116, 8) } }
    var modified: Int { get throws(TarArchive.Refusal) { try number(136, 12) } }
    var device: (major: Int, minor: Int) {
        get throws(TarArchive.Refusal) { (try number(329, 8), try number(337, 8)) }
    }

    private func place(_ start: Int, _ length: Int) -> Range<Int> {
        bytes.startIndex + start..<bytes.startIndex + start + length
    }

    private func field(_ start: Int, _ length: Int) -> [UInt8] {
        Array(bytes[place(start, length)].prefix { $0 != 0 })
    }

    /// Octal digits; or, with the first bit set, the number itself, which may be negative.
    private func number(_ start: Int, _ length: Int) throws(TarArchive.Refusal) -> Int {
        let field = bytes[place(start, length)]
        if let first = field.first, first & 0x80 != 0 {
            // A time before 1970 is as good as any; a size can't be meant.
            guard first == 0x80, field.dropFirst().dropLast(7).allSatisfy({ $0 == 0 }) else { return 0 }
            return field.suffix(7).reduce(0) { $0 << 8 | Int($1) }
        }
        let digits = field.drop { $0 == 32 || $0 == 0 }.prefix { $0 != 32 && $0 != 0 }
        guard !digits.isEmpty else { return 0 }
        guard let value = Int(String(decoding: digits, as: UTF8.self), radix: 8), value >= 0 else {
            throw TarArchive.Refusal(description: "is damaged: a header has no number where one belongs")
        }
        return value
    }

    /// What POSIX added: records of a length, a key and a value, as `LENGTH KEY=VALUE\n`, where the length counts all of it.
    static func records(
        _ bytes: ArraySlice<UInt8>
    ) throws(TarArchive.Refusal) -> [(key: ArraySlice<UInt8>, value: ArraySlice<UInt8>)] {
        var (rest, found) = (bytes, [(ArraySlice<UInt8>, ArraySlice<UInt8>)]())
        while !rest.isEmpty {
            guard let blank = rest.firstIndex(of: 32),
                let length = Int(String(decoding: rest[..<blank], as: UTF8.self)),
                length > blank - rest.startIndex + 1, length <= rest.count,
                let equals = rest[blank..<rest.startIndex + length].firstIndex(of: UInt8(ascii: "=")),
                rest[rest.startIndex + length - 1] == 10
            else { throw TarArchive.Refusal(description: "is damaged: a header of several records is wrong") }
            let end = rest.startIndex + length
            found.append((rest[blank + 1..<equals], rest[equals + 1..<end - 1]))
            rest = rest[end...]
        }
        return found
    }
}
