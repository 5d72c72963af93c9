import KilnModel

/// What became of the records of one ledger.
public struct LedgerResult: Sendable, Hashable, Codable {
    /// The first record with which something is wrong: the one that was acknowledged first.
    public struct BadRecord: Sendable, Hashable, Codable {
        /// Its number.
        public let number: UInt64
        /// What is wrong with it.
        public let fault: LedgerFault
        /// When it was acknowledged; nothing where that was in another run.
        public let acknowledged: LedgerMoment?
    }

    /// The ledger.
    public let name: Name
    /// The server to which its records went.
    public let server: Name
    /// The counts.
    public let verdict: LedgerVerdict
    /// The first record with which something is wrong.
    public let firstBad: BadRecord?
    /// The likely way in which records were lost; nothing where none were, or nothing is recorded that explains it.
    public let likely: LedgerLoss?

    private enum CodingKeys: String, CodingKey {
        case name, server, verdict, likely
        case firstBad = "first_bad"
    }

    /// The result of a check.
    ///
    /// - Parameters:
    ///   - times: when each record was acknowledged, since the start of the run.
    ///   - steps: the steps of the run so far.
    ///   - facts: what the engine recorded; needed only where records are lost.
    public init(
        name: Name,
        server: Name,
        finding: LedgerFinding,
        times: [Acknowledgement: Duration],
        steps: [StepSpan],
        facts: LedgerFacts?
    ) {
        self.name = name
        self.server = server
        verdict = finding.verdict
        let first = finding.faults.min { left, right in
            let (one, other) = (times[left.key] ?? .zero, times[right.key] ?? .zero)
            return (one, left.key.number) < (other, right.key.number)
        }
        firstBad = first.map { record, fault in
            BadRecord(
                number: record.number,
                fault: fault,
                acknowledged: times[record].map { LedgerMoment($0, among: steps) }
            )
        }
        let lost = finding.faults.filter { $0.value == .lost }.keys.compactMap { times[$0] }
        let present = times.filter { finding.faults[$0.key] == nil }.map(\.value)
        likely = facts.flatMap { LedgerLoss.likely(lost: lost, present: present, facts: $0) }
    }

    /// The result in words: the counts, and where something is wrong what, since when, and why.
    public var description: String {
        let bad = firstBad.map { record in
            let when = record.acknowledged.map { ", acknowledged \($0.description)" } ?? ""
            return "first \(record.fault.rawValue): record \(record.number)\(when)"
        }
        let parts = [bad, likely.map { "likely \($0.cause.rawValue): \($0.reason)" }].compactMap(\.self)
        return (["\(name): \(ReportText.verdict(verdict))"] + parts).joined(separator: "; ")
    }
}
