/// A path on a root file system, as exact and harmless text.
///
/// File names are bytes that a guest chooses. So a path is kept in ASCII: every byte of a name that is not a printable
/// character other than blank, `%` and `/` is written as `%` and two capital hexadecimal digits. Two paths are the same
/// exactly if their texts are.
public struct RootPath: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The escaped form: `/`, or `/` and a name, repeated.
    public let text: String

    /// The root directory.
    public static let root = RootPath(unchecked: "/")

    /// The longest escaped path that is accepted, in bytes: three for each that Linux accepts.
    public static let longest = 3 * 4096

    private init(unchecked text: String) { self.text = text }

    /// Accepts exactly what ``appending(_:)`` makes from ``root``.
    ///
    /// Anything else is refused: a relative path, an empty name, `.` or `..`, an escape that need not or must not be.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.first == 0x2f, bytes.count <= RootPath.longest else { return nil }
        guard bytes.count > 1 else {
            self = .root
            return
        }
        for name in bytes.dropFirst().split(separator: 0x2f, omittingEmptySubsequences: false) {
            guard RootPath.isEscapedName(name) else { return nil }
        }
        self.text = text
    }

    /// A path as people write it in a recipe or a lab file: absolute, a slash at its end meaning nothing.
    public init?(written path: String) {
        guard path.hasPrefix("/"), path.utf8.count <= 4096 else { return nil }
        var result = RootPath.root
        for name in path.utf8.split(separator: 0x2f) {
            guard !name.elementsEqual([0x2e]), !name.elementsEqual([0x2e, 0x2e]), !name.contains(0) else { return nil }
            result = result.appending(Array(name))
        }
        self = result
    }

    /// The path of an entry of this directory; any byte may be in the name.
    public func appending(_ name: [UInt8]) -> RootPath {
        RootPath(unchecked: (self == .root ? "/" : text + "/") + RootPath.escaped(name))
    }

    /// The directory that holds it; nothing above the root.
    public var parent: RootPath? {
        guard self != .root, let slash = text.utf8.lastIndex(of: 0x2f) else { return nil }
        return slash == text.startIndex ? .root : RootPath(unchecked: String(text[..<slash]))
    }

    /// The names that lead from the root to it, as bytes.
    public var names: [[UInt8]] { text.utf8.split(separator: 0x2f).map { RootPath.unescaped($0) ?? [] } }

    /// Whether it is `other` or lies below it.
    public func isWithin(_ other: RootPath) -> Bool {
        other == .root || text == other.text || text.utf8.starts(with: (other.text + "/").utf8)
    }

    /// The path for people: its characters where all of them are harmless on a terminal, else the escaped form.
    public var description: String {
        guard text.utf8.contains(0x25) else { return text }
        let bytes = text.utf8.split(separator: 0x2f).map { RootPath.unescaped(Array($0)) ?? [] }
        guard bytes.allSatisfy({ !$0.contains(0x2f) }) else { return text }
        let joined = bytes.map { [0x2f] + $0 }.flatMap { $0 }
        guard let readable = String(validating: joined, as: UTF8.self) else { return text }
        let isHarmless = readable.unicodeScalars.allSatisfy { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned, .privateUse: false
            case .spaceSeparator: scalar == " "
            default: scalar != "%"
            }
        }
        return isHarmless ? readable : text
    }

    /// Byte order of the escaped forms.
    public static func < (left: RootPath, right: RootPath) -> Bool {
        left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
    }
}

extension RootPath: Codable {
    /// Decodes the escaped form.
    public init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let path = RootPath(text) else {
            throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "not a path"))
        }
        self = path
    }

    /// Encodes the escaped form.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}

extension RootPath {
    /// Bytes as ASCII without blanks; see ``RootPath``.
    public static func escaped(_ bytes: some Collection<UInt8>) -> String {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        for byte in bytes {
            if isPlain(byte) {
                result.append(byte)
            } else {
                result += [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// What ``escaped(_:)`` made the text from; nothing where it can't have.
    public static func unescaped(_ text: some Collection<UInt8>) -> [UInt8]? {
        var result: [UInt8] = []
        var rest = Array(text)[...]
        while let byte = rest.popFirst() {
            guard byte == 0x25 else {
                guard isPlain(byte) else { return nil }
                result.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap({ digits.firstIndex(of: $0) }),
                let low = rest.popFirst().flatMap({ digits.firstIndex(of: $0) }), !isPlain(UInt8(high << 4 | low))
            else { return nil }
            result.append(UInt8(high << 4 | low))
        }
        return result
    }

    private static let digits = Array("0123456789ABCDEF".utf8)

    private static func isPlain(_ byte: UInt8) -> Bool { byte > 0x20 && byte < 0x7f && byte != 0x25 && byte != 0x2f }

    private static func isEscapedName(_ name: ArraySlice<UInt8>) -> Bool {
        guard !name.isEmpty, !name.elementsEqual([0x2e]), !name.elementsEqual([0x2e, 0x2e]) else { return false }
        return name.allSatisfy(isPlain) || unescaped(name) != nil
    }
}
