/// A change that a rollout makes to one member; its intent is written before.
public struct RolloutMove: Sendable, Hashable, Codable {
    /// What is done.
    public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
        /// The front sends it nothing more.
        case takeOut = "take-out"
        /// It is replaced by a machine made from the target.
        case replace
        /// The front sends it requests.
        case putIn = "put-in"
        /// It is replaced by a machine made from what it was before.
        case rollBack = "roll-back"
    }

    /// What is done.
    public let kind: Kind
    /// To which member.
    public let ordinal: Int
    /// The highest generation that was begun before, where the member is replaced.
    public let after: Generation?
    /// Whether the successor boots beside it, so that it does not count as out.
    public let isWarm: Bool

    /// A move from its parts.
    public init(_ kind: Kind, _ ordinal: Int, after: Generation? = nil, isWarm: Bool = false) {
        self.kind = kind
        self.ordinal = ordinal
        self.after = after
        self.isWarm = isWarm
    }
}

/// Why a rollout can't go on as it was meant to.
public struct RolloutFailure: Sendable, Hashable, Codable {
    /// The member that it is about; nothing where it is about all.
    public let ordinal: Int?
    /// The stable code.
    public let code: ErrorCode
    /// What happened, for people.
    public let reason: String
    /// Whether a person has to decide, whatever the spec says.
    public let needsPerson: Bool

    /// A failure from its parts.
    public init(_ code: ErrorCode, _ reason: String, ordinal: Int? = nil, needsPerson: Bool = false) {
        self.ordinal = ordinal
        self.code = code
        self.reason = reason
        self.needsPerson = needsPerson
    }
}

/// Why nothing more is done for now.
public struct RolloutPause: Sendable, Hashable, Codable {
    /// When it began.
    public let at: Duration
    /// How long it lasts; nothing means until a person decides.
    public let lasts: Duration?
    /// What failed; nothing for a pause that somebody wants.
    public let failure: RolloutFailure?
    /// Whether a person wants it; else the spec has it after the canaries, or something failed.
    public let isOfPerson: Bool

    /// A pause from its parts.
    public init(at: Duration, lasts: Duration? = nil, failure: RolloutFailure? = nil, isOfPerson: Bool = false) {
        self.at = at
        self.lasts = lasts
        self.failure = failure
        self.isOfPerson = isOfPerson
    }
}

/// How a rollout ended, and who is what.
public struct RolloutOutcome: Sendable, Hashable, Codable {
    /// How it ended.
    public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
        /// All who take part are new.
        case completed
        /// It stopped on the way, with some new and some not.
        case degraded
        /// All are what they were before.
        case rolledBack = "rolled-back"
        /// A person gave it up, and all are what they were before.
        case aborted
    }

    /// How it ended.
    public let kind: Kind
    /// Who is new, in the order of the plan.
    public let new: [Int]
    /// Who is not, in the order of the plan.
    public let old: [Int]

    /// An outcome from its parts.
    public init(_ kind: Kind, new: [Int], old: [Int]) {
        self.kind = kind
        self.new = new
        self.old = old
    }

    /// How many members these are, and which: `2 (2, 0)`.
    public static func words(_ ordinals: [Int]) -> String {
        ordinals.isEmpty ? "0" : "\(ordinals.count) (\(ordinals.map(String.init).joined(separator: ", ")))"
    }
}

/// One thing that happened to a rollout; its journal is a list of these.
///
/// Times are those of ``RolloutObservation/now``.
public enum RolloutEvent: Sendable, Hashable {
    /// A rollout began.
    case began(RolloutPlan)
    /// A member is about to be changed.
    case entered(RolloutMove, at: Duration)
    /// That is done; it took this many milliseconds. Told to people, and decides nothing.
    case completed(RolloutMove, milliseconds: Int)
    /// The replacement that was entered for a member has ended.
    case replaced(Int, Outcome)
    /// Something does not go as it was meant to.
    case failed(RolloutFailure)
    /// A new member serves, and its soak begins.
    case soaking(Int, at: Duration)
    /// It was not ready during its soak.
    case soakBroken(Int)
    /// A member serves, and nothing more is to be done with it.
    case settled(Int)
    /// The judge spoke.
    case judged(RolloutJudgement)
    /// So many are out that nobody may be taken out.
    case waiting(at: Duration)
    /// Nothing more is done until time has passed, or a person decides.
    case paused(RolloutPause)
    /// What comes after the canaries begins.
    case continued
    /// The members that are new are taken back.
    case turnedBack(RolloutFailure, at: Duration)
    /// A person wants it to go on; `isFull` skips all further pauses and judgements.
    case promoted(isFull: Bool, at: Duration)
    /// A person wants what failed to be tried again.
    case retried(at: Duration)
    /// A person gives it up: what is new is taken back, or where that failed, left as it is.
    case aborted(at: Duration)
    /// A person wants all members back to what they were, also after the end.
    case undone(at: Duration)
    /// A later command took it up after an interruption.
    case resumed(at: Duration)
    /// It ended.
    case ended(RolloutOutcome)
}
