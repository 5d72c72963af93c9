import KilnModel

/// An expectation of a scenario that was not met: a result, not a fault of Kiln's.
struct Unmet: Error, CustomStringConvertible {
    let description: String
    /// What to do next.
    let hint: String?
    /// The exit code of the run; a replacement that turned back keeps its own.
    let exit: ExitCode

    init(_ description: String, hint: String? = nil, exit: ExitCode = .unmet) {
        self.description = description
        self.hint = hint
        self.exit = exit
    }
}

/// Acknowledged data that is not there once and whole.
struct DataLoss: Error, CustomStringConvertible {
    let description: String

    init(_ verdict: LedgerVerdict) { description = ReportText.verdict(verdict) }

    /// Nothing where nothing is lost.
    init?(_ result: LedgerResult) {
        guard !result.verdict.isClean else { return nil }
        description = result.description
    }

    /// Nothing where the money is all there.
    init?(_ result: BankResult) {
        guard !result.isClean else { return nil }
        description = result.description
    }
}
