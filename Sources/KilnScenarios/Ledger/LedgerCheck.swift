import KilnModel

/// Compares what was acknowledged with what a volume holds, reading the volume's file piece by piece.
///
/// What the file holds is hostile: lines of any length, zeros after a crash, records that were never written.
public struct LedgerCheck: Sendable {
    private var copies: [Acknowledgement: Int]
    private var damaged: Set<UInt64> = []
    private var unacknowledged: Set<Acknowledgement> = []
    private var lines = LineSplitter(longest: LedgerRecord.longest)

    /// A check of the given acknowledgements; one that is named twice counts once.
    public init(acknowledged: some Sequence<Acknowledgement>) {
        copies = Dictionary(acknowledged.map { ($0, 0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Takes the next bytes of the volume's file.
    public mutating func take(_ bytes: some Sequence<UInt8>) {
        var found: [LedgerRecord.Line] = []
        lines.take(bytes) { found.append($0.map(LedgerRecord.line) ?? .garbage) }
        found.forEach { count($0) }
    }

    /// What is wrong with acknowledged records, once the whole file was taken.
    ///
    /// A record without its newline is whole where its checksum says so. A damaged tail that nobody acknowledged is no
    /// fault: a crash may leave one.
    public func finding() -> LedgerFinding {
        var whole = self
        if !lines.rest.isEmpty { whole.count(LedgerRecord.line(lines.rest)) }
        let faults = whole.copies.compactMap { record, copies -> (Acknowledgement, LedgerFault)? in
            switch copies {
            case 0: (record, whole.damaged.contains(record.number) ? .torn : .lost)
            case 1: nil
            default: (record, .duplicated)
            }
        }
        return LedgerFinding(
            acknowledged: copies.count,
            faults: Dictionary(faults, uniquingKeysWith: { first, _ in first }),
            unacknowledged: whole.unacknowledged.count
        )
    }

    /// The verdict, once the whole file was taken.
    public func verdict() -> LedgerVerdict { finding().verdict }

    /// The verdict on a file that is at hand as a whole or in pieces.
    public static func verdict(
        acknowledged: some Sequence<Acknowledgement>,
        volumeContents: some Sequence<some Sequence<UInt8>>
    ) -> LedgerVerdict {
        var check = LedgerCheck(acknowledged: acknowledged)
        for piece in volumeContents { check.take(piece) }
        return check.verdict()
    }

    private mutating func count(_ line: LedgerRecord.Line) {
        switch line {
        case .whole(let record):
            if let seen = copies[record] {
                copies[record] = seen + 1
            } else {
                unacknowledged.insert(record)
            }
        case .damaged(let number): damaged.insert(number)
        case .garbage: break
        }
    }
}
