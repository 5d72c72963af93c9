/// The header of an entry of a tar archive: a block of its own, before those of the content.
public struct TarBlock: Sendable {
    /// How many bytes a block has.
    public static let length = 512

    /// What is written, all of it.
    public let bytes: [UInt8]

    /// Reads a block.
    ///
    /// - Throws: `TarArchive.Refusal` where it is not 512 bytes whose sum is in it.
    public init(_ bytes: some Sequence<UInt8>) throws(TarArchive.Refusal) {
        self.bytes = Array(bytes)
        guard self.bytes.count == TarBlock.length, try number(148, 8) == sum else {
            throw TarArchive.Refusal(description: "is damaged: a header's sum is wrong")
        }
    }

    /// A block before a regular file, the same whoever writes it and whenever.
    ///
    /// - Parameter name: at most 100 bytes.
    public init(file name: String, size: Int, mode: Int = 0o444) {
        var head = [UInt8](repeating: 0, count: TarBlock.length)
        func put(_ text: some Sequence<UInt8>, _ place: Int) {
            for (index, byte) in text.enumerated() { head[place + index] = byte }
        }
        put(name.utf8.prefix(100), 0)
        put(TarBlock.octal(mode, 7), 100)
        for place in [108, 116] { put(TarBlock.octal(0, 7), place) }
        put(TarBlock.size(size), 124)
        put(TarBlock.octal(0, 11), 136)
        put("0".utf8, 156)
        put("ustar\u{0}00".utf8, 257)
        put(TarBlock.octal(TarBlock.sum(head), 6) + [0, 0x20], 148)
        bytes = head
    }

    /// Whether a block holds nothing, which is the end of an archive.
    public static func isEnd(_ block: some Sequence<UInt8>) -> Bool { block.allSatisfy { $0 == 0 } }

    /// How many bytes the blocks of so many bytes have.
    public static func padded(_ size: Int) -> Int { (size + length - 1) / length * length }

    /// What it stands for, such as `0` for a regular file.
    public var type: Character { Character(UnicodeScalar(bytes[156])) }

    /// The name; only ustar's own, not GNU's, has a first part of it in a field of its own.
    public var name: [UInt8] {
        let name = field(0, 100)
        guard Array(bytes[257..<263]) == Array("ustar\0".utf8) else { return name }
        let prefix = field(345, 155)
        return prefix.isEmpty ? name : prefix + [UInt8(ascii: "/")] + name
    }

    /// Where a link leads.
    var target: [UInt8] { field(157, 100) }

    /// The permissions.
    var mode: UInt32 {
        get throws(TarArchive.Refusal) { UInt32(truncatingIfNeeded: try number(100, 8)) }
    }

    /// Whom the file belongs to.
    var user: Int { get throws(TarArchive.Refusal) { try number(108, 8) } }
    var group: Int { get throws(TarArchive.Refusal) { try number(116, 8) } }
    /// The numbers of a device.
    var device: (major: Int, minor: Int) {
        get throws(TarArchive.Refusal) { (try number(329, 8), try number(337, 8)) }
    }

    /// When the file was changed last, in seconds since 1970.
    var modified: Int {
        get throws(TarArchive.Refusal) { try number(136, 12) }
    }

    /// How many bytes of content follow; links, folders and devices have none.
    public var size: Int {
        get throws(TarArchive.Refusal) { ["1", "2", "3", "4", "5", "6"].contains(type) ? 0 : try number(124, 12) }
    }

    private func field(_ place: Int, _ length: Int) -> [UInt8] {
        Array(bytes[place..<place + length].prefix { $0 != 0 })
    }

    /// Octal digits; or, with the first bit set, the number itself, which may be negative.
    private func number(_ place: Int, _ length: Int) throws(TarArchive.Refusal) -> Int {
        let field = bytes[place..<place + length]
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

    private var sum: Int { TarBlock.sum(bytes) }

    // Of all bytes, with blanks in the place of the sum.
    private static func sum(_ bytes: [UInt8]) -> Int {
        bytes.reduce(0) { $0 + Int($1) } - bytes[148..<156].reduce(0) { $0 + Int($1) } + 8 * 32
    }

    private static func octal(_ value: Int, _ length: Int) -> [UInt8] {
        let digits = Array(String(value, radix: 8).utf8)
        return [UInt8](repeating: 0x30, count: max(0, length - digits.count)) + digits
    }

    // Where eleven digits don't do, the number itself, as GNU's and everybody else's tar reads it.
    private static func size(_ size: Int) -> [UInt8] {
        guard size >= 1 << 33 else { return octal(size, 11) }
        return [0x80] + (0..<11).reversed().map { UInt8(truncatingIfNeeded: $0 < 8 ? size >> (8 * $0) : 0) }
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
