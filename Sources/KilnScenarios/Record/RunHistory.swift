import Foundation
import KilnModel

/// All that a report tells of one run, whether it ended or not.
public struct RunHistory: Sendable {
    /// How far the run came.
    public enum End: String, Sendable, Hashable {
        /// It has its report.
        case ended
        /// It goes on.
        case going
        /// It was killed before its end.
        case interrupted
    }

    /// Something on the axis of time that is no step of the file.
    public struct Turn: Sendable, Hashable {
        /// When, in milliseconds since the run began.
        public let ms: Int
        /// The server.
        public let server: Name
        /// What happened.
        public let text: String
    }

    /// How the acknowledged records of a ledger grew.
    public struct Curve: Sendable, Hashable {
        /// The ledger.
        public let ledger: Name
        /// The server to which its records went.
        public let server: Name
        /// How many there were at a time, in milliseconds since the run began.
        public internal(set) var points: [Point]

        /// A count at a time.
        public struct Point: Sendable, Hashable {
            /// The time.
            public let ms: Int
            /// The count.
            public let total: Int
        }
    }

    /// The report; of a run that did not end one that says so, with what it had found by then.
    public internal(set) var report: ScenarioReport
    /// How far it came.
    public internal(set) var end = End.ended
    /// The innermost step that it is in, by number and name; nothing where it has ended.
    public internal(set) var current: String?
    /// When it began, by the wall clock; nothing where that was not written down.
    public internal(set) var began: Date?
    /// When replacements turned back.
    public internal(set) var turns: [Turn] = []
    /// What users of servers saw.
    public internal(set) var strips: [AvailabilityStrip] = []
    /// Ledgers as they were written.
    public internal(set) var curves: [Curve] = []
    /// Roots that were compared with their images.
    public internal(set) var drifts: [DriftFinding] = []
    /// What consoles said last.
    public internal(set) var consoles: [ConsoleExcerpt] = []
    /// Whether too much happened for all of it to be written down.
    public internal(set) var isCut = false

    /// What a report alone tells.
    public init(_ report: ScenarioReport) { self.report = report }
}
