import Foundation
import KilnModel

/// Reads the archive of a whole tree, an entry at a time, however large it is; it is hostile.
///
/// What is given out leads nowhere else: every name lies below the archive's own folder, stands there once, and has nothing
/// but folders of the archive above it; a hard link leads to what came before. There is nothing but what ``TarEntry`` can say.
/// Whoever takes an archive as a whole reads to its end first.
///
/// Understood are the formats of ustar, GNU and pax, and holes in GNU's format 1.0.
public struct TarStream: ~Copyable {
    /// The most entries that are accepted.
    public static let mostEntries = 2_000_000
    /// The most bytes of what a path has besides its content: long names and attributes.
    private static let largestRecords = 4 << 20
    /// The most bytes of a path.
    private static let longestPath = 4096
    /// The largest file that ext4 can hold.
    private static let largestFile = UInt64(1) << 44

    private var input: TarInput
    /// What of the last entry's content was not read yet, padding included.
    private var pending = 0
    /// Where the content of the last entry is.
    private var content = TarContent(ranges: [], size: 0)
    /// Every path so far, and whether it is a folder.
    private var known: [[UInt8]: Bool] = [:]

    /// Reads what is open as `descriptor`, a file or a pipe, from where it stands; `name` is for errors.
    public init(_ descriptor: CInt, named name: String) { input = TarInput(descriptor, named: name) }

    /// The next entry; nothing at the end.
    ///
    /// - Throws: ``TarArchive/Refusal``; `KilnError` with code `file.unreadable`.
    public mutating func next() throws -> TarEntry? {
        try input.skip(pending)
        pending = 0
        var more = More()
        while let block = try header() {
            switch block.type {
            case "L", "K", "x", "g": try read(block.type, try block.size, into: &more)
            default: return try accepted(block, more)
            }
        }
        guard more.isEmpty else { throw TarArchive.Refusal.cutOff }
        return nil
    }

    /// Reads the content of the regular file that ``next()`` gave, holes as zeros, a piece at a time.
    ///
    /// - Throws: as ``next()``.
    public mutating func readContent(_ take: (UnsafeRawBufferPointer) -> Void) throws {
        var place: UInt64 = 0
        for range in content.ranges {
            TarStream.giveZeros(range.lowerBound - place, take)
            var rest = range.count
            while rest > 0 {
                let piece = try input.read(min(rest, 1 << 17))
                guard !piece.isEmpty else { throw TarArchive.Refusal.cutOff }
                piece.withUnsafeBytes(take)
                rest -= piece.count
                pending -= piece.count
            }
            place = range.upperBound
        }
        TarStream.giveZeros(content.size - place, take)
        content = TarContent(ranges: [], size: 0)
    }

    private static let zeros = [UInt8](repeating: 0, count: 1 << 16)

    private static func giveZeros(_ count: UInt64, _ take: (UnsafeRawBufferPointer) -> Void) {
        var rest = count
        zeros.withUnsafeBytes { zeros in
            while rest > 0 {
                let piece = Int(min(rest, UInt64(zeros.count)))
                take(UnsafeRawBufferPointer(rebasing: zeros[..<piece]))
                rest -= UInt64(piece)
            }
        }
    }

    // A block of zeros is the end, and so is that of the file; what follows is read by nobody.
    private mutating func header() throws -> TarBlock? {
        let bytes = try input.read(TarBlock.length)
        if bytes.isEmpty { return nil }
        guard bytes.count == TarBlock.length else { throw TarArchive.Refusal.cutOff }
        return TarBlock.isEnd(bytes) ? nil : try TarBlock(bytes)
    }

    private mutating func read(_ type: Character, _ size: Int, into more: inout More) throws {
        guard size <= TarStream.largestRecords else {
            throw TarArchive.Refusal(description: "holds a header of \(size) bytes")
        }
        let bytes = try input.read(size)
        guard bytes.count == size else { throw TarArchive.Refusal.cutOff }
        try input.skip(TarEntry.padding(after: UInt64(size)).count)
        switch type {
        case "L": more.name = Array(bytes.prefix { $0 != 0 })
        case "K": more.target = Array(bytes.prefix { $0 != 0 })
        case "x": for (key, value) in try TarBlock.records(bytes) { try more.take(key, value) }
        // What would hold for all that follows: nothing that matters here is said so.
        default: break
        }
    }

    private mutating func accepted(_ block: TarBlock, _ more: More) throws -> TarEntry {
        let name = more.name ?? block.name
        let path = try TarArchive.path(name)
        func refused(_ why: String) -> TarArchive.Refusal {
            TarArchive.Refusal(description: "holds \(Printable.text(name)), which \(why)")
        }
        guard known.count < TarStream.mostEntries else { throw refused("is one too many") }
        let target = more.target ?? block.target
        guard let kind = try TarStream.kind(block, target) else { throw refused("is of a kind that no tree has") }
        let key = Array(path.joined(separator: [0x2f]))
        guard key.count <= TarStream.longestPath else { throw refused("has too long a path") }
        guard known.updateValue(kind == .folder, forKey: key) == nil else { throw refused("stands in it twice") }
        guard path.count < 2 || known[Array(path.dropLast().joined(separator: [0x2f]))] == true else {
            throw refused("lies in no folder of it")
        }
        guard !path.isEmpty || kind == .folder else { throw refused("is no folder") }
        if case .link(let target) = kind, target.isEmpty { throw refused("is a link to nothing") }
        if case .hardLink(let first) = kind, known[Array(first.joined(separator: [0x2f]))] != false || first == path {
            throw refused("is a second name of what is not in it")
        }
        try expect(kind == .file ? try more.size ?? block.size : 0, more, refused)
        var entry = TarEntry(
            path: path,
            kind: kind,
            mode: UInt32(truncatingIfNeeded: try block.mode) & 0o7777,
            user: try more.user ?? UInt32(truncatingIfNeeded: block.user),
            group: try more.group ?? UInt32(truncatingIfNeeded: block.group)
        )
        entry.size = kind == .file ? content.size : 0
        entry.modified = try more.modified ?? TarEntry.Time(seconds: Int64(block.modified))
        entry.attributes = more.attributes
        return entry
    }

    /// Makes ready for content of that size, of which some may be the map of a file with holes.
    private mutating func expect(_ size: Int, _ more: More, _ refused: (String) -> TarArchive.Refusal) throws {
        pending = size + TarEntry.padding(after: UInt64(size)).count
        content = TarContent(ranges: size > 0 ? [0..<UInt64(size)] : [], size: UInt64(size))
        guard more.hasHoles else { return }
        guard let realSize = more.realSize, realSize <= TarStream.largestFile else {
            throw refused("has holes, and no size that can be")
        }
        let (ranges, mapSize) = try map(atMost: size)
        pending -= mapSize
        content = TarContent(ranges: ranges, size: realSize)
        let ends = ranges.map(\.upperBound)
        let isInOrder = zip(ranges.dropFirst(), ends).allSatisfy { $0.lowerBound >= $1 }
        guard isInOrder, ends.last ?? 0 <= realSize, content.count == UInt64(size - mapSize) else {
            throw refused("has holes where they can't be")
        }
    }

    /// The map of a file with holes, and how many bytes it takes.
    private mutating func map(atMost size: Int) throws -> (ranges: [Range<UInt64>], size: Int) {
        var (numbers, number, taken) = ([UInt64](), UInt64?.none, 0)
        let damaged = TarArchive.Refusal(description: "is damaged: a map of holes is wrong")
        while numbers.isEmpty || UInt64(numbers.count) < 1 + 2 * numbers[0] {
            let block = try input.read(TarBlock.length)
            taken += TarBlock.length
            guard block.count == TarBlock.length, taken <= min(size, TarStream.largestRecords) else { throw damaged }
            for byte in block where numbers.isEmpty || UInt64(numbers.count) < 1 + 2 * numbers[0] {
                if byte == 10, let value = number {
                    numbers.append(value)
                    number = nil
                    guard numbers[0] <= UInt64(TarStream.largestRecords) else { throw damaged }
                } else if (48...57).contains(byte), number ?? 0 < TarStream.largestFile {
                    number = (number ?? 0) * 10 + UInt64(byte - 48)
                } else {
                    throw damaged
                }
            }
        }
        // Numbers are below a tenth of what can be counted.
        let ranges = stride(from: 1, to: numbers.count - 1, by: 2).map { numbers[$0]..<numbers[$0] + numbers[$0 + 1] }
        return (ranges.filter { !$0.isEmpty }, taken)
    }

    private static func kind(_ block: TarBlock, _ target: [UInt8]) throws -> TarEntry.Kind? {
        let device = try block.device
        let (major, minor) = (UInt32(truncatingIfNeeded: device.major), UInt32(truncatingIfNeeded: device.minor))
        switch block.type {
        case "0", "7", "\0": return .file
        case "1": return .hardLink(to: try TarArchive.path(target))
        case "2": return .link(to: target)
        case "3": return .character(major: major, minor: minor)
        case "4": return .block(major: major, minor: minor)
        case "5": return .folder
        case "6": return .pipe
        default: return nil
        }
    }
}

/// What headers before an entry's own say of it.
private struct More {
    var name: [UInt8]?
    var target: [UInt8]?
    var size: Int?
    var user: UInt32?
    var group: UInt32?
    var modified: TarEntry.Time?
    var attributes: [TarEntry.Attribute] = []
    var hasHoles = false
    var isNamed = false
    var realSize: UInt64?

    var isEmpty: Bool { name == nil && target == nil && size == nil && attributes.isEmpty && !hasHoles }

    private static let attribute = Array("SCHILY.xattr.".utf8)

    mutating func take(_ key: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>) throws(TarArchive.Refusal) {
        if key.starts(with: More.attribute) {
            let name = More.unescaped(key.dropFirst(More.attribute.count))
            attributes.append(TarEntry.Attribute(name: name, value: Array(value)))
            return
        }
        let text = String(decoding: value, as: UTF8.self)
        switch String(decoding: key, as: UTF8.self) {
        // The name of a file with holes stands in its own record, whichever comes first.
        case "path": if !isNamed { name = Array(value) }
        case "GNU.sparse.name": (name, isNamed) = (Array(value), true)
        case "linkpath": target = Array(value)
        case "size": size = try More.number(text)
        case "uid": user = try More.number(text)
        case "gid": group = try More.number(text)
        case "mtime": modified = More.time(text)
        case "GNU.sparse.major":
            hasHoles = true
            guard text == "1" else { throw More.unknown }
        case "GNU.sparse.minor": guard text == "0" else { throw More.unknown }
        case "GNU.sparse.realsize": realSize = try More.number(text)
        case "GNU.sparse.map", "GNU.sparse.numblocks", "GNU.sparse.offset": throw More.unknown
        default: break
        }
    }

    private static let unknown = TarArchive.Refusal(description: "has holes in a format other than GNU's 1.0")

    private static func number<Number: FixedWidthInteger>(_ text: String) throws(TarArchive.Refusal) -> Number {
        guard let number = Number(text), number >= 0, Int(exactly: number).map({ $0 < 1 << 60 }) ?? false else {
            throw TarArchive.Refusal(description: "is damaged: a record has no number where one belongs")
        }
        return number
    }

    private static func time(_ text: String) -> TarEntry.Time? {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = Int64(parts[0]) else { return nil }
        let digits = parts.count > 1 ? String((parts[1] + "000000000").prefix(9)) : "0"
        guard let rest = UInt32(digits), rest < 1_000_000_000 else { return nil }
        guard parts[0].hasPrefix("-"), rest > 0 else { return TarEntry.Time(seconds: whole, nanoseconds: rest) }
        return whole == .min ? nil : TarEntry.Time(seconds: whole - 1, nanoseconds: 1_000_000_000 - rest)
    }

    private static func unescaped(_ name: ArraySlice<UInt8>) -> [UInt8] {
        var (result, rest) = ([UInt8](), name)
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.starts(with: "25".utf8) || rest.starts(with: "3D".utf8) {
                result.append(rest.first == UInt8(ascii: "2") ? UInt8(ascii: "%") : UInt8(ascii: "="))
                rest = rest.dropFirst(2)
            } else {
                result.append(byte)
            }
        }
        return result
    }
}
