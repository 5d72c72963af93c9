/// How a server's members are brought to a new image or configuration.
public struct RolloutSpec: Sendable, Hashable {
    /// What follows once all canaries serve.
    public enum Pause: Sendable, Hashable {
        /// The others follow at once.
        case none
        /// The others follow after this time.
        case lasting(Duration)
        /// The others follow once a person promotes the rollout.
        case untilPromoted
    }

    /// What follows where a member can't be brought to the target.
    public enum OnFailure: String, Sendable, Hashable, Codable, CaseIterable {
        /// Nothing more is done until a person promotes, retries or aborts.
        case pause
        /// The members that are new already are taken back, the newest first.
        case rollback
    }

    /// How many members may be out at once, 0 or more; one that fell by itself counts.
    public var maxUnavailable: Int
    /// How many members at once may be replaced with the successor beside them, 0 or more.
    ///
    /// Such a replacement is warm-first: the old machine serves until the volumes move. So the member is not taken out
    /// before, and does not count as out while it is replaced. No member is ever added: each has its own volume.
    public var maxSurge: Int
    /// The lowest ordinal that takes part, 0 or more.
    public var partition: Int
    /// How many members come first and are looked at before the others follow, 0 or more.
    public var canaries: Int
    /// What follows once all canaries serve.
    public var pause: Pause
    /// How long a new member has to serve before the next one is taken out; with none its own `min-healthy` is enough.
    public var soak: Duration
    /// How long a member may take from its take-out until it serves, and how long the rollout waits for room.
    public var progressDeadline: Duration
    /// What follows where a member can't be brought to the target.
    public var onFailure: OnFailure
    /// How new members are compared with old ones; nothing where they are not.
    public var judge: RolloutJudgeSpec?

    /// A spec from its parts.
    public init(
        maxUnavailable: Int = 1,
        maxSurge: Int = 0,
        partition: Int = 0,
        canaries: Int = 0,
        pause: Pause = .none,
        soak: Duration = .zero,
        progressDeadline: Duration = .seconds(600),
        onFailure: OnFailure = .rollback,
        judge: RolloutJudgeSpec? = nil
    ) {
        self.maxUnavailable = maxUnavailable
        self.maxSurge = maxSurge
        self.partition = partition
        self.canaries = canaries
        self.pause = pause
        self.soak = soak
        self.progressDeadline = progressDeadline
        self.onFailure = onFailure
        self.judge = judge
    }
}

/// How the answers of new members are compared with those of old ones.
public struct RolloutJudgeSpec: Sendable, Hashable {
    /// How many answers of each kind it takes; with fewer the verdict is inconclusive.
    public var requests: Int
    /// By how many percent points more of the new ones' requests may fail, 0 to 100.
    public var moreErrors: Double
    /// How many times as long the new ones may take to answer, 1 or more.
    public var timesSlower: Double

    /// A spec from its parts.
    public init(requests: Int = 50, moreErrors: Double = 1, timesSlower: Double = 2) {
        self.requests = requests
        self.moreErrors = moreErrors
        self.timesSlower = timesSlower
    }
}

// What was written by an earlier version has fewer fields; what it lacks has its default.
extension RolloutSpec: Codable {
    private enum CodingKeys: String, CodingKey {
        case maxUnavailable, maxSurge, partition, canaries, pause, soak, progressDeadline, onFailure, judge
    }

    /// Decodes a spec that this or an earlier version wrote.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        func field<Value: Decodable>(_ key: CodingKeys, or fallback: Value) throws -> Value {
            try fields.decodeIfPresent(Value.self, forKey: key) ?? fallback
        }
        self.init()
        maxUnavailable = try field(.maxUnavailable, or: maxUnavailable)
        maxSurge = try field(.maxSurge, or: maxSurge)
        partition = try field(.partition, or: partition)
        canaries = try field(.canaries, or: canaries)
        pause = try field(.pause, or: pause)
        soak = try field(.soak, or: soak)
        progressDeadline = try field(.progressDeadline, or: progressDeadline)
        onFailure = try field(.onFailure, or: onFailure)
        judge = try fields.decodeIfPresent(RolloutJudgeSpec.self, forKey: .judge)
    }
}

extension RolloutJudgeSpec: Codable {
    private enum CodingKeys: String, CodingKey { case requests, moreErrors, timesSlower }

    /// Decodes a spec that this or an earlier version wrote.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        self.init()
        requests = try fields.decodeIfPresent(Int.self, forKey: .requests) ?? requests
        moreErrors = try fields.decodeIfPresent(Double.self, forKey: .moreErrors) ?? moreErrors
        timesSlower = try fields.decodeIfPresent(Double.self, forKey: .timesSlower) ?? timesSlower
    }
}

extension RolloutSpec.Pause: Codable {
    private enum CodingKeys: String, CodingKey { case until, lasting }

    /// Decodes `{}`, `{"until":"promoted"}` or `{"lasting":…}`.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        if let duration = try fields.decodeIfPresent(Duration.self, forKey: .lasting) {
            self = .lasting(duration)
        } else if let until = try fields.decodeIfPresent(String.self, forKey: .until) {
            guard until == "promoted" else {
                throw DecodingError.dataCorruptedError(
                    forKey: .until,
                    in: fields,
                    debugDescription: "not 'promoted': '\(until)'"
                )
            }
            self = .untilPromoted
        } else {
            self = .none
        }
    }

    /// Encodes `{}`, `{"until":"promoted"}` or `{"lasting":…}`.
    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .none: break
        case .lasting(let duration): try fields.encode(duration, forKey: .lasting)
        case .untilPromoted: try fields.encode("promoted", forKey: .until)
        }
    }
}
