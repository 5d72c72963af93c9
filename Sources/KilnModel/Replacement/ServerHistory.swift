import Foundation

/// The life of a server, as a pure function of its journal.
public struct ServerHistory: Sendable {
    /// A replacement with the times and processes of its records.
    public struct Operation: Sendable {
        /// What happened.
        public var replacement: Replacement
        /// When it began.
        public let began: Date
        /// When its last record was written.
        public var latest: Date
        /// The process that wrote its last record.
        public var pid: Int32
    }

    /// A start or restart of a machine whose kernel crashed before init, so that it was booted again.
    public struct Crash: Sendable, Hashable, Encodable {
        /// When it ran again.
        public let time: Date
        /// The generation that was started.
        public let generation: Generation?
        /// How often it was booted again.
        public let restarts: Int
    }

    /// All operations, oldest first.
    public private(set) var operations: [Operation] = []
    /// The generation that is the server, once one was committed.
    public private(set) var current: Generation?
    /// Whether the user wants the server on.
    public private(set) var isWantedOn = true

    /// The crashes that no operation counts, since the generation served already; oldest first.
    public private(set) var crashes: [Crash] = []

    /// The history that these records tell.
    public init(_ records: [JournalRecord]) {
        for record in records { apply(record) }
    }

    /// The operation that has begun and not ended, if any; there is at most one.
    public var open: Operation? {
        guard let last = operations.last, last.replacement.outcome == nil else { return nil }
        return last
    }

    /// The operation that ended halted and was not followed by another.
    public var halted: Operation? {
        guard let last = operations.last, last.replacement.outcome == .halted else { return nil }
        return last
    }

    /// The highest generation that was ever begun; numbers are never used again.
    public var highest: Int { operations.map(\.replacement.intent.to.number).max() ?? 0 }

    private mutating func apply(_ record: JournalRecord) {
        switch record.event {
        case .began(let intent):
            operations.append(
                Operation(
                    replacement: Replacement(intent, isAfterHalt: halted != nil),
                    began: record.time,
                    latest: record.time,
                    pid: record.pid
                )
            )
            isWantedOn = true
        case .power(let isOn, let restarts):
            isWantedOn = isOn
            guard let restarts else { return }
            crashes.append(Crash(time: record.time, generation: current, restarts: restarts))
        default:
            guard let last = operations.indices.last else { return }
            operations[last].replacement.apply(record.event)
            operations[last].latest = record.time
            operations[last].pid = record.pid
            if case .ended(.committed, _) = record.event {
                current = operations[last].replacement.intent.to
            }
        }
    }
}
