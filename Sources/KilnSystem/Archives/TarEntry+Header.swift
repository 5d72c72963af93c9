/// An entry as it is written: in the format of ustar, with the records of pax for what does not fit in there.
///
/// https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html
extension TarEntry {
    /// What ends an archive.
    public static let end = [UInt8](repeating: 0, count: 2 * TarBlock.length)

    /// What fills the last block of a content of that size.
    public static func padding(after size: UInt64) -> [UInt8] {
        [UInt8](repeating: 0, count: (TarBlock.length - Int(size % UInt64(TarBlock.length))) % TarBlock.length)
    }

    /// The headers, and for a file with holes the map of it; after them comes what is in the pieces, and the padding.
    ///
    /// - Parameter content: of a regular file.
    public func header(_ content: TarContent? = nil) -> [UInt8] {
        let holed = content.flatMap { $0.isWhole ? nil : $0 }
        let map = holed?.map ?? []
        let stored = UInt64(map.count) + (content?.count ?? 0)
        var records = Records()
        if let holed {
            records.add("GNU.sparse.major", "1")
            records.add("GNU.sparse.minor", "0")
            records.add("GNU.sparse.name", name)
            records.add("GNU.sparse.realsize", "\(holed.size)")
        } else if name.count > 100 {
            records.add("path", name)
        }
        if target.count > 100 { records.add("linkpath", target) }
        if stored > TarEntry.largest(12) { records.add("size", "\(stored)") }
        if UInt64(user) > TarEntry.largest(8) { records.add("uid", "\(user)") }
        if UInt64(group) > TarEntry.largest(8) { records.add("gid", "\(group)") }
        if modified.isLong { records.add("mtime", modified.text) }
        for attribute in attributes {
            records.add(Array("SCHILY.xattr.".utf8) + TarEntry.escaped(attribute.name), attribute.value)
        }
        // Who knows nothing of holes unpacks this with a name that says so.
        let short = holed == nil ? name : Array("./GNUSparseFile.0/".utf8) + (path.last ?? [])
        return records.block + block(named: short, type: type, stored: stored) + map
    }

    private var name: [UInt8] {
        let name = path.reduce([UInt8(ascii: ".")]) { $0 + [UInt8(ascii: "/")] + $1 }
        return kind == .folder || path.isEmpty ? name + [UInt8(ascii: "/")] : name
    }

    private var target: [UInt8] {
        switch kind {
        case .link(let target): target
        case .hardLink(let first): first.reduce([UInt8(ascii: ".")]) { $0 + [UInt8(ascii: "/")] + $1 }
        default: []
        }
    }

    private var type: Character {
        switch kind {
        case .file: "0"
        case .hardLink: "1"
        case .link: "2"
        case .character: "3"
        case .block: "4"
        case .folder: "5"
        case .pipe: "6"
        }
    }

    private var device: (major: UInt32, minor: UInt32) {
        switch kind {
        case .character(let major, let minor), .block(let major, let minor): (major, minor)
        default: (0, 0)
        }
    }

    private func block(named name: [UInt8], type: Character, stored: UInt64) -> [UInt8] {
        let seconds = modified.seconds < 0 ? 0 : UInt64(modified.seconds)
        return TarEntry.block(
            name: name,
            type: type,
            target: target,
            numbers: [
                (UInt64(mode & 0o7777), 100, 8), (UInt64(user), 108, 8), (UInt64(group), 116, 8), (stored, 124, 12),
                (seconds, 136, 12), (UInt64(device.major), 329, 8), (UInt64(device.minor), 337, 8),
            ]
        )
    }

    /// The most that octal digits of a field can say, whose last byte ends them.
    private static func largest(_ length: Int) -> UInt64 { (1 << (3 * (UInt64(length) - 1))) - 1 }

    fileprivate static func block(
        name: [UInt8],
        type: Character,
        target: [UInt8] = [],
        numbers: [(value: UInt64, place: Int, length: Int)]
    ) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: TarBlock.length)
        func put(_ bytes: some Collection<UInt8>, at place: Int) {
            block.replaceSubrange(place..<place + bytes.count, with: bytes)
        }
        put(name.prefix(100), at: 0)
        for (value, place, length) in numbers {
            // What does not fit stands in a record before.
            let digits = String(value > largest(length) ? 0 : value, radix: 8)
            put((String(repeating: "0", count: length - 1 - digits.count) + digits).utf8, at: place)
        }
        put("\(type)".utf8, at: 156)
        put(target.prefix(100), at: 157)
        put("ustar\0".utf8, at: 257)
        put("00".utf8, at: 263)
        put("        ".utf8, at: 148)
        let sum = String(block.reduce(0) { $0 + Int($1) }, radix: 8)
        put((String(repeating: "0", count: 6 - sum.count) + sum + "\0").utf8, at: 148)
        return block
    }

    // As GNU's tar does, since a record's key ends with the first sign of equality.
    private static func escaped(_ name: [UInt8]) -> [UInt8] {
        name.flatMap { byte -> [UInt8] in
            switch byte {
            case UInt8(ascii: "%"): Array("%25".utf8)
            case UInt8(ascii: "="): Array("%3D".utf8)
            default: [byte]
            }
        }
    }
}

extension TarEntry.Time {
    /// Whether whole seconds in octal digits can't say it.
    fileprivate var isLong: Bool { nanoseconds > 0 || seconds < 0 || seconds >= 1 << 33 }

    /// Seconds with a fraction; of a time before 1970 both count backwards.
    fileprivate var text: String {
        guard nanoseconds > 0 else { return "\(seconds)" }
        let isBefore = seconds < 0
        let whole = isBefore ? -(seconds + 1) : seconds
        let fraction = String(isBefore ? 1_000_000_000 - nanoseconds : nanoseconds)
        return (isBefore ? "-" : "") + "\(whole)." + String(repeating: "0", count: 9 - fraction.count) + fraction
    }
}

/// Records for the entry that follows.
private struct Records {
    private var bytes: [UInt8] = []

    mutating func add(_ key: String, _ value: String) { add(Array(key.utf8), Array(value.utf8)) }

    mutating func add(_ key: String, _ value: [UInt8]) { add(Array(key.utf8), value) }

    /// A record begins with its length, which counts its own digits.
    mutating func add(_ key: [UInt8], _ value: [UInt8]) {
        let rest = [UInt8(ascii: " ")] + key + [UInt8(ascii: "=")] + value + [UInt8(ascii: "\n")]
        var length = rest.count
        while "\(length)".utf8.count + rest.count != length { length = "\(length)".utf8.count + rest.count }
        bytes += Array("\(length)".utf8) + rest
    }

    /// The records with their header; nothing where there are none.
    var block: [UInt8] {
        guard !bytes.isEmpty else { return [] }
        let header = TarEntry.block(
            name: Array("./PaxHeaders".utf8),
            type: "x",
            numbers: [(0o644, 100, 8), (0, 108, 8), (0, 116, 8), (UInt64(bytes.count), 124, 12), (0, 136, 12)]
        )
        return header + bytes + TarEntry.padding(after: UInt64(bytes.count))
    }
}
