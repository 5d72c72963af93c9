import KilnModel

/// What users of a service would have seen while something was done to it.
public struct AvailabilityResult: Sendable, Hashable, Codable {
    /// A stretch in which one version answered; times count from the beginning of what was done.
    public struct VersionSpan: Sendable, Hashable, Codable {
        /// The version, as the answers name it.
        public let version: String
        /// When its first answer of this stretch came, in milliseconds; negative before the beginning.
        public let fromMS: Int
        /// When its last one came, in milliseconds.
        public let toMS: Int
        /// How many came.
        public let answers: Int

        /// A stretch from its parts.
        public init(version: String, fromMS: Int, toMS: Int, answers: Int) {
            self.version = version
            self.fromMS = fromMS
            self.toMS = toMS
            self.answers = answers
        }

        private enum CodingKeys: String, CodingKey {
            case version, answers
            case fromMS = "from_ms"
            case toMS = "to_ms"
        }
    }

    /// How many requests were to be made while it was done.
    public let due: Int
    /// How many were made; the others came too late on this host.
    public let sent: Int
    /// How many failed.
    public let failed: Int
    /// How many gave way to later ones while eight waited, with those that count as failed.
    public let givenUp: Int
    /// How many failed, by kind.
    public let failures: [RequestFailure: Int]
    /// How many of those that failed had a connection of their own.
    public let failedNew: Int
    /// How many of those that failed went over a kept connection.
    public let failedKept: Int
    /// The longest time without an answer, less the usual interval, in milliseconds.
    public let longestGapMS: Int
    /// The time within which half of the answers came, in milliseconds; nothing where none came.
    public let p50MS: Int?
    /// The time within which 99 of 100 answers came, in milliseconds.
    public let p99MS: Int?
    /// The time that the slowest answer took, in milliseconds.
    public let slowestMS: Int?
    /// Which version answered when, the first hundred stretches.
    public let versions: [VersionSpan]
    /// Why nothing follows from these numbers; nothing where something does.
    public let inconclusive: String?

    enum CodingKeys: String, CodingKey {
        case due, sent, failed, failures, versions, inconclusive
        case givenUp = "given_up"
        case failedNew = "failed_new"
        case failedKept = "failed_kept"
        case longestGapMS = "longest_gap_ms"
        case p50MS = "p50_ms"
        case p99MS = "p99_ms"
        case slowestMS = "slowest_ms"
    }

    /// The result in one line.
    public var description: String {
        let numbers = "\(failed) of \(sent) requests failed, longest gap \(longestGapMS) ms"
        return inconclusive.map { "inconclusive: \($0) (\(numbers))" } ?? numbers
    }
}
