/// What became of acknowledged records.
public struct LedgerVerdict: Sendable, Hashable, Codable {
    /// Records that the host had acknowledged (and fsynced to its own list).
    public let acknowledged: Int
    /// Acknowledged records that the volume does not hold.
    public let lost: Int
    /// Acknowledged records of which the volume holds only a damaged copy.
    public let torn: Int
    /// Acknowledged records that the volume holds more than once.
    public let duplicated: Int
    /// Whole records on the volume that were never acknowledged; allowed, because an acknowledgement can be cut off.
    public let unacknowledged: Int

    /// A verdict from its counts.
    public init(acknowledged: Int, lost: Int, torn: Int, duplicated: Int, unacknowledged: Int) {
        self.acknowledged = acknowledged
        self.lost = lost
        self.torn = torn
        self.duplicated = duplicated
        self.unacknowledged = unacknowledged
    }

    /// The counts of two ledgers together.
    public static func + (left: LedgerVerdict, right: LedgerVerdict) -> LedgerVerdict {
        LedgerVerdict(
            acknowledged: left.acknowledged + right.acknowledged,
            lost: left.lost + right.lost,
            torn: left.torn + right.torn,
            duplicated: left.duplicated + right.duplicated,
            unacknowledged: left.unacknowledged + right.unacknowledged
        )
    }

    /// Whether every acknowledged record is present once and whole.
    public var isClean: Bool { lost == 0 && torn == 0 && duplicated == 0 }
}
