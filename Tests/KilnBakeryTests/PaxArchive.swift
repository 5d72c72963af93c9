import Foundation

/// A tar archive as mmdebstrap makes it, written by hand: no privilege is needed to give a file what it has.
struct PaxArchive {
    enum Kind: String {
        case file = "0"
        case hardLink = "1"
        case folder = "5"
    }

    private(set) var bytes = Data()

    mutating func add(
        _ name: String,
        _ kind: Kind = .file,
        mode: Int = 0o644,
        owner: Int = 0,
        to target: String = "",
        attributes: [String: Data] = [:],
        content: Data = Data()
    ) {
        if !attributes.isEmpty {
            let records = attributes.map { PaxArchive.record("SCHILY.xattr.\($0)", $1) }.reduce(Data(), +)
            append(header("pax", type: "x", mode: 0o644, size: records.count), records)
        }
        let header = header(name, type: kind.rawValue, mode: mode, owner: owner, size: content.count, target: target)
        append(header, content)
    }

    /// The archive with its end.
    var whole: Data { bytes + Data(count: 1024) }

    private mutating func append(_ header: Data, _ content: Data) {
        bytes += header + content + Data(count: (512 - content.count % 512) % 512)
    }

    private func header(_ name: String, type: String, mode: Int, owner: Int = 0, size: Int, target: String = "") -> Data
    {
        var block = Data(count: 512)
        func put(_ text: String, at place: Int) {
            block.replaceSubrange(place..<place + text.utf8.count, with: text.utf8)
        }
        func octal(_ value: Int, _ digits: Int) -> String {
            let text = String(value, radix: 8)
            return String(repeating: "0", count: digits - text.count) + text
        }
        put(name, at: 0)
        for (value, place) in [(mode, 100), (owner, 108), (owner, 116)] { put(octal(value, 7), at: place) }
        for (value, place) in [(size, 124), (0, 136)] { put(octal(value, 11), at: place) }
        put(type, at: 156)
        put(target, at: 157)
        put("ustar\u{0}00", at: 257)
        put("        ", at: 148)
        put(octal(block.reduce(0) { $0 + Int($1) }, 6) + "\u{0}", at: 148)
        return block
    }

    /// `LENGTH KEY=VALUE`, whose length counts its own digits.
    private static func record(_ key: String, _ value: Data) -> Data {
        let rest = Data(" \(key)=".utf8) + value + Data("\n".utf8)
        var length = rest.count
        while "\(length)".count + rest.count != length { length = "\(length)".count + rest.count }
        return Data("\(length)".utf8) + rest
    }
}
