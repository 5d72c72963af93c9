import KilnModel

/// The likely way in which records were lost.
public struct LedgerLoss: Sendable, Hashable, Codable {
    /// The kinds of ways.
    public enum Cause: String, Sendable, Hashable, Codable, CaseIterable {
        /// They were written to one volume and looked for on another.
        case wrongVolume = "wrong-volume"
        /// A guest formatted the volume.
        case reformatted
        /// The volume returned to a snapshot that was older than they.
        case restored
        /// They went to the root below the mount point, where the volume hides them.
        case hidden
    }

    /// What kind of way.
    public let cause: Cause
    /// What points to it, and where the records may still be.
    public let reason: String

    /// Judges by what the engine recorded; nothing where nothing recorded explains all lost records.
    ///
    /// - Parameters:
    ///   - lost: when the lost records were acknowledged, since the start of the run.
    ///   - present: when those were that are there.
    public static func likely(lost: [Duration], present: [Duration], facts: LedgerFacts) -> LedgerLoss? {
        guard let last = lost.max(), let first = lost.min() else { return nil }
        return wrongVolume(facts)
            ?? restored(first, last, present, facts)
            ?? reformatted(last, present, facts)
            ?? hidden(facts)
    }

    private static func wrongVolume(_ facts: LedgerFacts) -> LedgerLoss? {
        guard let written = facts.written, let read = facts.read, written != read else { return nil }
        return LedgerLoss(
            cause: .wrongVolume,
            reason: "they were written to the volume with the serial number \(written) and looked for on \(read)"
        )
    }

    // A return takes what came after the snapshot, and nothing else; what was written after the return is there.
    private static func restored(
        _ first: Duration,
        _ last: Duration,
        _ present: [Duration],
        _ facts: LedgerFacts
    ) -> LedgerLoss? {
        let found = facts.restorations.last { restoration in
            let (taken, end) = (restoration.taken ?? .zero, restoration.restored ?? last)
            return first >= taken && last <= end && !present.contains { $0 > last && $0 < end }
        }
        guard let found else { return nil }
        let kept = found.kept.map { "; what it held before is retained as '\($0)'" } ?? ""
        return LedgerLoss(
            cause: .restored,
            reason: "the volume returned to the snapshot '\(found.snapshot)', which is older than they\(kept)"
        )
    }

    // A format takes everything that was there, and nothing that was written after it.
    private static func reformatted(_ last: Duration, _ present: [Duration], _ facts: LedgerFacts) -> LedgerLoss? {
        guard let snapshot = facts.reformatted, !present.contains(where: { $0 <= last }) else { return nil }
        return LedgerLoss(
            cause: .reformatted,
            reason: "a guest formatted the volume; the snapshot '\(snapshot)' is from before"
        )
    }

    private static func hidden(_ facts: LedgerFacts) -> LedgerLoss? {
        let file = facts.file.flatMap(RootPath.init(written:))
        let found = facts.hidden.first { hidden in file.map { $0 == hidden.path } ?? true }
        guard let found else { return nil }
        return LedgerLoss(
            cause: .hidden,
            reason: "\(found.machine) wrote \(found.path) to its root, where the volume hides it"
        )
    }
}
