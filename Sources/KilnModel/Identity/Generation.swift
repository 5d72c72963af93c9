/// The number of one machine in the life of a server: 1 for the first, one more at every replacement.
public struct Generation: Sendable, Hashable, Comparable, Codable, CustomStringConvertible {
    /// The number, from 1.
    public let number: Int

    /// A generation by its number.
    public init(_ number: Int) { self.number = number }

    /// Decodes the bare number.
    public init(from decoder: any Decoder) throws {
        number = try decoder.singleValueContainer().decode(Int.self)
    }

    /// Encodes the bare number.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(number)
    }

    /// The number in decimal.
    public var description: String { String(number) }

    /// The generation after this one.
    public var successor: Generation { Generation(number + 1) }

    /// Numerical order.
    public static func < (left: Generation, right: Generation) -> Bool { left.number < right.number }
}
