/// One header of a tar archive, with what longer headers before it say.
struct TarHeader {
    var name: [UInt8]
    var target: [UInt8]
    let type: Character
    let mode: UInt32
    var modified: Int
    let content: Range<Int>

    func refused(_ why: String) -> TarArchive.Refusal {
        TarArchive.Refusal(description: "holds \(Printable.text(name)), which \(why)")
    }
}

/// Goes through a tar archive header by header, and past the content of each.
struct TarReader {
    private static let block = 512

    private let bytes: [UInt8]
    private var offset = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The next entry; nothing at the end.
    mutating func next() throws(TarArchive.Refusal) -> TarHeader? {
        var (name, target, modified) = ([UInt8]?.none, [UInt8]?.none, Int?.none)
        while var header = try header() {
            switch header.type {
            // GNU's: what follows has this name, or leads there.
            case "L": name = text(header.content)
            case "K": target = text(header.content)
            // What POSIX added: records of a length, a key and a value.
            case "x":
                for (key, value) in try records(header.content) {
                    switch key {
                    case "path": name = value
                    case "linkpath": target = value
                    case "mtime":
                        modified = Int(String(decoding: value.prefix { $0 != UInt8(ascii: ".") }, as: UTF8.self))
                    // The content would not be where its header says.
                    case "size", "GNU.sparse.major", "GNU.sparse.map": throw header.refused("has a size of its own")
                    default: break
                    }
                }
            case "g": break
            default:
                header.name = name ?? header.name
                header.target = target ?? header.target
                header.modified = modified ?? header.modified
                return header
            }
        }
        return nil
    }

    // A block of zeros is the end; so is that of the file where there is none.
    private mutating func header() throws(TarArchive.Refusal) -> TarHeader? {
        guard offset < bytes.count else { return nil }
        guard offset + Self.block <= bytes.count else { throw cutOff }
        let start = offset
        let head = bytes[start..<start + Self.block]
        if head.allSatisfy({ $0 == 0 }) { return nil }
        // The sum of all bytes, with blanks in the place of the sum.
        let sum = head.reduce(0) { $0 + Int($1) } - head[start + 148..<start + 156].reduce(0) { $0 + Int($1) } + 8 * 32
        guard try number(148, 8) == sum else {
            throw TarArchive.Refusal(description: "is damaged: a header's sum is wrong")
        }
        let type = Character(UnicodeScalar(bytes[start + 156]))
        let size = ["1", "2", "3", "4", "5", "6"].contains(type) ? 0 : try number(124, 12)
        let content = start + Self.block
        guard size <= bytes.count - content else { throw cutOff }
        let header = TarHeader(
            name: name(start),
            target: field(157, 100),
            type: type,
            mode: UInt32(truncatingIfNeeded: try number(100, 8)),
            modified: try number(136, 12),
            content: content..<content + size
        )
        offset = content + (size + Self.block - 1) / Self.block * Self.block
        return header
    }

    // Only ustar's own, not GNU's, has a first part of the name in a field of its own.
    private func name(_ start: Int) -> [UInt8] {
        let name = field(0, 100)
        guard Array(bytes[start + 257..<start + 263]) == Array("ustar\0".utf8) else { return name }
        let prefix = field(345, 155)
        return prefix.isEmpty ? name : prefix + [UInt8(ascii: "/")] + name
    }

    private func field(_ place: Int, _ length: Int) -> [UInt8] {
        Array(bytes[offset + place..<offset + place + length].prefix { $0 != 0 })
    }

    private func text(_ range: Range<Int>) -> [UInt8] { Array(bytes[range].prefix { $0 != 0 }) }

    /// Octal digits; or, with the first bit set, the number itself, which may be negative.
    private func number(_ place: Int, _ length: Int) throws(TarArchive.Refusal) -> Int {
        let field = bytes[offset + place..<offset + place + length]
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

    // `LENGTH KEY=VALUE\n`, where the length counts all of it.
    private func records(_ range: Range<Int>) throws(TarArchive.Refusal) -> [(key: String, value: [UInt8])] {
        var (rest, found) = (bytes[range], [(String, [UInt8])]())
        while !rest.isEmpty {
            guard let blank = rest.firstIndex(of: 32),
                let length = Int(String(decoding: rest[..<blank], as: UTF8.self)),
                length > blank - rest.startIndex + 1, length <= rest.count,
                let equals = rest[blank..<rest.startIndex + length].firstIndex(of: UInt8(ascii: "=")),
                rest[rest.startIndex + length - 1] == 10
            else { throw TarArchive.Refusal(description: "is damaged: a header of several records is wrong") }
            let end = rest.startIndex + length
            found.append((String(decoding: rest[blank + 1..<equals], as: UTF8.self), Array(rest[equals + 1..<end - 1])))
            rest = rest[end...]
        }
        return found
    }

    private var cutOff: TarArchive.Refusal { TarArchive.Refusal(description: "ends too soon") }
}
