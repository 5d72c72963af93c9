import KilnModel

/// An expectation of a scenario that was not met: a result, not a fault of Kiln's.
struct Unmet: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// Acknowledged records that the volume does not hold once and whole.
struct DataLoss: Error, CustomStringConvertible {
    let verdict: LedgerVerdict

    init(_ verdict: LedgerVerdict) { self.verdict = verdict }

    var description: String {
        "acknowledged \(verdict.acknowledged), lost \(verdict.lost), torn \(verdict.torn), duplicated \(verdict.duplicated)"
    }
}
