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

/// Acknowledged records that the volume does not hold once and whole.
struct DataLoss: Error, CustomStringConvertible {
    let verdict: LedgerVerdict

    init(_ verdict: LedgerVerdict) { self.verdict = verdict }

    var description: String { ReportText.verdict(verdict) }
}
