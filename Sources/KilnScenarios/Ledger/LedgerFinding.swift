import KilnModel

/// What is wrong with one acknowledged record.
public enum LedgerFault: String, Sendable, Hashable, Codable, CaseIterable {
    /// It is not there.
    case lost
    /// Only a damaged copy of it is there.
    case torn
    /// It is there more than once.
    case duplicated
}

/// What a check of a ledger found, record by record.
public struct LedgerFinding: Sendable, Hashable {
    /// How many records were acknowledged.
    public let acknowledged: Int
    /// What is wrong with which of them.
    public let faults: [Acknowledgement: LedgerFault]
    /// How many whole records are there that nobody acknowledged.
    public let unacknowledged: Int

    /// A finding from its parts.
    public init(acknowledged: Int, faults: [Acknowledgement: LedgerFault], unacknowledged: Int) {
        self.acknowledged = acknowledged
        self.faults = faults
        self.unacknowledged = unacknowledged
    }

    /// The counts.
    public var verdict: LedgerVerdict {
        let counts = Dictionary(faults.values.map { ($0, 1) }, uniquingKeysWith: +)
        return LedgerVerdict(
            acknowledged: acknowledged,
            lost: counts[.lost] ?? 0,
            torn: counts[.torn] ?? 0,
            duplicated: counts[.duplicated] ?? 0,
            unacknowledged: unacknowledged
        )
    }
}
