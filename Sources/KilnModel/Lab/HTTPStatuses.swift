/// The statuses of which an HTTP answer may have one.
public struct HTTPStatuses: Sendable, Hashable, CustomStringConvertible {
    private let ranges: [ClosedRange<Int>]

    /// One status, from 100 to 599.
    public init(_ status: Int) { ranges = [status...status] }

    /// Statuses such as `204`, and classes of them such as `2xx`; nothing where a text is neither.
    public init?(_ texts: [String]) {
        let ranges = texts.compactMap(HTTPStatuses.range)
        guard !ranges.isEmpty, ranges.count == texts.count else { return nil }
        self.ranges = ranges
    }

    /// Whether the status is one of these.
    public func contains(_ status: Int) -> Bool { ranges.contains { $0.contains(status) } }

    /// The statuses as they are written, with "or" between them.
    public var description: String { texts.joined(separator: " or ") }

    private var texts: [String] {
        ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound / 100)xx" }
    }

    private static func range(_ text: String) -> ClosedRange<Int>? {
        guard text.utf8.count == 3, let first = text.first?.wholeNumberValue, (1...5).contains(first) else {
            return nil
        }
        if text.hasSuffix("xx") { return first * 100...first * 100 + 99 }
        return Int(text).map { $0...$0 }
    }
}

extension HTTPStatuses: Codable {
    /// Decodes a number, as all versions write a single status, or a list of texts.
    public init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if let status = try? value.decode(Int.self) {
            self.init(status)
            return
        }
        guard let statuses = HTTPStatuses(try value.decode([String].self)) else {
            throw DecodingError.dataCorruptedError(in: value, debugDescription: "no statuses of HTTP")
        }
        self = statuses
    }

    /// Encodes a number where there is one status only, else a list of texts.
    public func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        if texts.count == 1, let status = Int(texts[0]) { return try value.encode(status) }
        try value.encode(texts)
    }
}
