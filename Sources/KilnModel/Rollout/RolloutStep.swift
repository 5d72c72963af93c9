/// What is to be done next in a rollout.
public enum RolloutStep: Sendable, Hashable {
    /// Write this event to the journal, and ask again.
    case record(RolloutEvent)
    /// Finish or take back the open replacement of a member.
    case recover(Int)
    /// Change a member, with `entered` written before.
    case move(RolloutMove)
    /// Look on until then whether the member stays ready.
    case soak(Int, until: Duration)
    /// Compare these new members with these others; the next observation has the judgement.
    case judge(new: [Int], old: [Int])
    /// Do nothing until then, or where there is no time, until a person decides.
    case pause(RolloutPause, until: Duration?)
    /// Look again after a moment.
    case wait(RolloutWait)
    /// There is nothing more to do.
    case finished(RolloutOutcome)

    /// A member leaves the front.
    public static func takeOut(_ ordinal: Int) -> RolloutStep { .move(RolloutMove(.takeOut, ordinal)) }
    /// A member gets its place in the front.
    public static func putIn(_ ordinal: Int) -> RolloutStep { .move(RolloutMove(.putIn, ordinal)) }
}

/// What a rollout waits for.
public enum RolloutWait: Sendable, Hashable {
    /// These members are out, and leave no room to take out another; it waits until then at most.
    case unavailable([Int], until: Duration?)
    /// This member is not ready yet; it has until then.
    case notReady(Int, until: Duration)
    /// Whoever asks is at work on these members.
    case busy([Int])
}

/// Which way a rollout is going.
public enum RolloutDirection: String, Sendable, Hashable, Codable {
    /// To the target.
    case forward
    /// To what the members were before.
    case back
}
