/// What is true of a server's members at one moment, read anew before every decision.
public struct RolloutObservation: Sendable, Hashable {
    /// How the latest replacement of a member stands.
    public enum Standing: String, Sendable, Hashable {
        /// It has ended, or there was none.
        case none
        /// It began and did not end.
        case open
        /// It ended where neither way was safe.
        case halted
    }

    /// A member.
    public struct Member: Sendable, Hashable {
        /// Whether its machine is ready; one that can't be asked is not.
        public var isReady: Bool
        /// The generation that is the member.
        public var generation: Generation
        /// The highest generation that was ever begun; numbers are never used again.
        public var highest: Generation
        /// What the generation is made from.
        public var version: RolloutVersion
        /// How its latest replacement stands.
        public var standing: Standing
        /// How its latest replacement ended.
        public var latest: Outcome?
        /// Whether the front sends it requests; nothing where the server has no front.
        public var isIn: Bool?

        /// A member from its parts.
        public init(
            isReady: Bool,
            generation: Generation,
            highest: Generation? = nil,
            version: RolloutVersion,
            standing: Standing = .none,
            latest: Outcome? = nil,
            isIn: Bool?
        ) {
            self.isReady = isReady
            self.generation = generation
            self.highest = highest ?? generation
            self.version = version
            self.standing = standing
            self.latest = latest
            self.isIn = isIn
        }

        /// Whether clients reach it.
        public var isAvailable: Bool { isReady && isIn != false }
    }

    /// The time since the host's boot, asleep or awake; only differences mean anything.
    public var now: Duration
    /// All members of the server, also those that take no part, by ordinal.
    public var members: [Int: Member]
    /// What the judge said, once it was asked for.
    public var judgement: RolloutJudgement?
    /// Members that whoever asks is at work on at this moment: nothing is said of them, and they count as out.
    public var busy: Set<Int>

    /// An observation from its parts.
    public init(
        now: Duration,
        members: [Int: Member],
        judgement: RolloutJudgement? = nil,
        busy: Set<Int> = []
    ) {
        self.now = now
        self.members = members
        self.judgement = judgement
        self.busy = busy
    }
}

/// What came of comparing new members with old ones.
public enum RolloutVerdict: String, Sendable, Hashable, Codable, CaseIterable {
    /// The new ones are no worse.
    case successful
    /// The new ones are worse.
    case failed
    /// There were too few answers to tell.
    case inconclusive
    /// It could not be measured.
    case error
}

/// A verdict and its reason.
public struct RolloutJudgement: Sendable, Hashable, Codable {
    /// What came of it.
    public let verdict: RolloutVerdict
    /// The figures, for people.
    public let reason: String

    /// A judgement from its parts.
    public init(_ verdict: RolloutVerdict, reason: String) {
        self.verdict = verdict
        self.reason = reason
    }
}
