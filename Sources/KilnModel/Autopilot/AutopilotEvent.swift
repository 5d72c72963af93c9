/// What an autopilot does to a member.
public enum AutopilotAct: String, Sendable, Hashable, Codable, CaseIterable {
    /// Its machine, which is off, is started.
    case start
    /// Its machine, which is silent, is ended by force and started; one that only stands still goes on as it is.
    case restart
    /// What a command left unfinished is finished or taken back.
    case recover
    /// It gets another machine of the same image and configuration, once its volumes have passed a check.
    case replace
    /// The same while it serves, since it is due.
    case renew
}

/// Why an autopilot does something.
public enum AutopilotCause: String, Sendable, Hashable, Codable, CaseIterable {
    /// Its machine is off, and nobody stopped it.
    case gone
    /// Its machine runs, and is not ready.
    case silent
    /// A command that changed it was killed.
    case interrupted
    /// It is older than its `max-age`.
    case old
}

/// Something that is done to a member, with the figures that led to it; it is written before it is done.
public struct AutopilotHeal: Sendable, Hashable, Codable {
    /// To whom.
    public let member: MemberID
    /// What.
    public let act: AutopilotAct
    /// Why.
    public let cause: AutopilotCause
    /// The generation that was seen so.
    public let generation: Generation
    /// For how long it was seen so.
    public let lasted: Duration
    /// The number of this heal among those of the member in a row, from 1; 0 for one that is due.
    public let attempt: Int
    /// The number of this heal among those of its server within its `per`, from 1; 0 for one that is due, and for a
    /// first start.
    public let used: Int
    /// What the server allowed then.
    public let spec: HealSpec

    /// A heal from its parts.
    public init(
        _ act: AutopilotAct,
        _ member: MemberID,
        cause: AutopilotCause,
        generation: Generation,
        lasted: Duration = .zero,
        attempt: Int,
        used: Int,
        spec: HealSpec
    ) {
        self.member = member
        self.act = act
        self.cause = cause
        self.generation = generation
        self.lasted = lasted
        self.attempt = attempt
        self.used = used
        self.spec = spec
    }
}

extension AutopilotHeal {
    /// Whether it starts a machine that the host's boot left off, so that nobody fell.
    public var isFirstStart: Bool { act == .start && used == 0 }
}

/// What came of something that an autopilot did.
public enum AutopilotEnd: Sendable, Hashable, Codable {
    /// The member is ready.
    case serves
    /// It is not.
    case failed(AutopilotFailure)
    /// Nothing was done, since it is not as it was seen any more, or somebody else is at work.
    case left(String)
}

/// Why a member is not ready after something was done.
public struct AutopilotFailure: Sendable, Hashable, Codable {
    /// The stable code.
    public let code: ErrorCode
    /// What happened, for people.
    public let reason: String
    /// What to do next.
    public let hint: String?
    /// Whether a person has to decide, so that nothing more is tried: it is halted, or a volume is damaged.
    public let needsPerson: Bool

    /// A failure from its parts.
    public init(_ code: ErrorCode, _ reason: String, hint: String? = nil, needsPerson: Bool = false) {
        self.code = code
        self.reason = reason
        self.hint = hint
        self.needsPerson = needsPerson
    }
}

/// That nothing more is done to a member until it is ready by another's doing.
public struct AutopilotGivingUp: Sendable, Hashable, Codable {
    /// The member.
    public let member: MemberID
    /// What was done in a row, in that order.
    public let acts: [AutopilotAct]
    /// The time since the first of these began.
    public let lasted: Duration
    /// Why the last one failed; nothing where it did not, and the member fell once more.
    public let failure: AutopilotFailure?

    /// A giving-up from its parts.
    public init(_ member: MemberID, acts: [AutopilotAct], lasted: Duration, failure: AutopilotFailure?) {
        self.member = member
        self.acts = acts
        self.lasted = lasted
        self.failure = failure
    }
}

/// One thing that happened to the members of a lab that an autopilot looks after; its journal is a list of these.
///
/// Times are those of ``AutopilotObservation/now``.
public enum AutopilotEvent: Sendable, Hashable, Codable {
    /// Something is about to be done.
    case began(AutopilotHeal, at: Duration)
    /// It has ended.
    case ended(MemberID, AutopilotEnd, at: Duration)
    /// A member is given up.
    case gaveUp(AutopilotGivingUp, at: Duration)
    /// A member that was down after a heal, or given up, is ready.
    case serves(MemberID, at: Duration)
    /// Members of a server are about to come or go.
    case scaling(AutoscaleMove, at: Duration)
    /// That has ended.
    case scaled(ServerID, AutoscaleEnd, at: Duration)
}

extension AutopilotEvent {
    /// The member that it is about; what is about all members of a server stands with the first, which is called as the server.
    public var member: MemberID {
        switch self {
        case .began(let heal, _): heal.member
        case .ended(let member, _, _), .serves(let member, _): member
        case .gaveUp(let what, _): what.member
        case .scaling(let move, _): move.server.member(0)
        case .scaled(let server, _, _): server.member(0)
        }
    }
}
