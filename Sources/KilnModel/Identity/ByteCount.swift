/// A size in bytes, written like `256MiB`.
public struct ByteCount: Sendable, Hashable, Comparable, Codable, CustomStringConvertible {
    /// The number of bytes, never negative.
    public let bytes: UInt64

    /// A size of so many bytes.
    public init(bytes: UInt64) { self.bytes = bytes }

    /// A size of so many binary megabytes.
    public static func mebibytes(_ count: UInt64) -> ByteCount { ByteCount(bytes: count << 20) }

    private static let units: [(suffix: String, shift: UInt64)] = [
        ("KiB", 10), ("MiB", 20), ("GiB", 30), ("TiB", 40),
    ]

    /// Reads a whole number with one of the units KiB, MiB, GiB, TiB; nothing else, so `256M` can't be misread.
    public init?(_ text: String) {
        for (suffix, shift) in ByteCount.units where text.hasSuffix(suffix) {
            let digits = text.dropLast(suffix.count)
            guard !digits.isEmpty, digits.allSatisfy({ $0.isASCII && $0.isNumber }), let count = UInt64(digits),
                count > 0, count <= UInt64.max >> (shift + 1)
            else { return nil }
            bytes = count << shift
            return
        }
        return nil
    }

    /// Decodes the written form.
    public init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        if let plain = UInt64(text) {
            self.init(bytes: plain)
        } else if let size = ByteCount(text) {
            self = size
        } else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "not a size: \(text)")
            )
        }
    }

    /// Encodes the shortest exact written form.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    /// The shortest exact form: `1GiB`, `1536MiB`, or a bare number of bytes.
    public var description: String {
        for (suffix, shift) in ByteCount.units.reversed() where bytes > 0 && bytes & ((1 << shift) - 1) == 0 {
            return "\(bytes >> shift)\(suffix)"
        }
        return String(bytes)
    }

    /// Numerical order.
    public static func < (left: ByteCount, right: ByteCount) -> Bool { left.bytes < right.bytes }
}
