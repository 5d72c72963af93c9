import KilnEngine
import KilnModel

/// What users of a server saw over time, in stretches of equal length; small, however many requests there were.
public struct AvailabilityStrip: Sendable, Hashable, Codable {
    /// What became of the requests that were due in one stretch.
    public struct Bucket: Sendable, Hashable, Codable {
        /// How many were answered at once.
        public var answered = 0
        /// How many had to wait for their answer, or gave way where others were answered.
        public var held = 0
        /// How many failed.
        public var failed = 0
        /// The version that answered last, where the answers name one.
        public var version: String?

        /// A stretch without requests.
        public init() {}
    }

    /// The most stretches of one strip.
    public static let mostBuckets = 400
    /// How long an answer may take that came at once.
    public static let atOnce = Duration.milliseconds(500)

    /// The server.
    public let server: Name
    /// When the first stretch began, in milliseconds since the run did.
    public let startMS: Int
    /// How long a stretch is, in milliseconds.
    public let bucketMS: Int
    /// The stretches, without a gap.
    public let buckets: [Bucket]

    private enum CodingKeys: String, CodingKey {
        case server, buckets
        case startMS = "start_ms"
        case bucketMS = "bucket_ms"
    }

    /// The requests of a log.
    ///
    /// - Parameter origin: when the log's time began, since the start of the run.
    public init(_ log: AvailabilityLog, of server: Name, origin: Duration) {
        let first = log.samples.map(\.due).min() ?? .zero
        let length = (log.samples.map(\.due).max() ?? .zero) - first + log.plan.interval
        let interval = max(1, Int((log.plan.interval / .milliseconds(1)).rounded()))
        let whole = max(1, Int(length / .milliseconds(1)))
        self.server = server
        startMS = Int((origin + first) / .milliseconds(1))
        bucketMS = max(interval, (whole + Self.mostBuckets - 1) / Self.mostBuckets)
        var found = Array(repeating: Bucket(), count: min(Self.mostBuckets, (whole + bucketMS - 1) / bucketMS))
        for sample in log.samples {
            let index = min(Int((sample.due - first) / .milliseconds(bucketMS)), found.count - 1)
            found[index].take(sample, hasFailed: log.hasFailed(sample))
        }
        buckets = found
    }
}

extension AvailabilityStrip.Bucket {
    fileprivate mutating func take(_ sample: AvailabilitySample, hasFailed: Bool) {
        if case .answered(let version?) = sample.outcome { self.version = version }
        if hasFailed {
            failed += 1
        } else if sample.isAnswered, sample.ended - sample.due <= AvailabilityStrip.atOnce {
            answered += 1
        } else {
            held += 1
        }
    }
}

extension AvailabilityStrip {
    /// The longest time without an answer, as far as the stretches tell, in milliseconds.
    var longestGapMS: Int {
        var (longest, current) = (0, 0)
        for bucket in buckets {
            current = bucket.failed > 0 && bucket.answered + bucket.held == 0 ? current + bucketMS : 0
            longest = max(longest, current)
        }
        return longest
    }
}
