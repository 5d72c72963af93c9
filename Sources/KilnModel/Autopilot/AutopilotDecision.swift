/// What an autopilot decides about a member.
public enum AutopilotDecision: Sendable, Hashable {
    /// Write this to the journal.
    case record(AutopilotEvent)
    /// Do this, with `began` written before.
    case act(AutopilotHeal)
    /// Do nothing for now to this member, which is not as it should be.
    case wait(MemberID, AutopilotWait)

    /// The member that it is about.
    public var member: MemberID {
        switch self {
        case .record(let event): event.member
        case .act(let heal): heal.member
        case .wait(let member, _): member
        }
    }
}

/// Why nothing is done for now.
public enum AutopilotWait: Sendable, Hashable {
    /// Why a member is left alone.
    public enum Left: Sendable, Hashable {
        /// A person stopped it.
        case stopped
        /// Its latest operation halted, so a person has to decide.
        case halted
        /// Another command is at work on it.
        case atWork
        /// A rollout of its server is open, and has it.
        case rollout
        /// It was given up.
        case givenUp
        /// Nothing can be told of it.
        case unknown(String)
    }

    /// It may get over it by itself; something is done once it has lasted so long.
    case lasting(AutopilotCause, needed: Duration)
    /// The pause after so many heals in a row is not over.
    case backOff(after: Int, pause: Duration)
    /// Its server was healed so often as it may be.
    case limited(used: Int, spec: HealSpec)
    /// So many of so many members fell at once that something else must be wrong.
    case meltdown(fallen: Int, of: Int)
    /// As many are being worked on as may be at once.
    case crowded
    /// It is not to be touched.
    case left(Left)
}
