/// The format of a record on disk, which is raised when an earlier version would misread what this one writes.
///
/// A record holds it as `format`; one without it was written before there was any. To decode one of a later version throws
/// ``Newer``, which ``DurableFile/readJSON(_:from:)`` tells by name.
public struct RecordFormat: Sendable, Hashable, Codable {
    /// What a record of a later version is refused by.
    struct Newer: Error {
        let format: Int
    }

    /// What this version writes, and the highest that it reads.
    static let current = 1

    private let number: Int

    /// The format that this version writes.
    public init() { number = RecordFormat.current }

    /// Decodes a format that this version knows.
    public init(from decoder: any Decoder) throws {
        number = try decoder.singleValueContainer().decode(Int.self)
        guard number <= RecordFormat.current else { throw Newer(format: number) }
    }

    /// Encodes the number.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(number)
    }
}
