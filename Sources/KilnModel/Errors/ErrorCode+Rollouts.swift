// The meaning that each code has in the index documents it.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

extension ErrorCode {
    public static let rolloutDeadline = ErrorCode(
        "rollout.deadline",
        [.deadline, .reverted],
        "a member did not serve within 'progress-deadline' after it was taken out"
    )
    public static let rolloutJudged = ErrorCode(
        "rollout.judged",
        [.reverted, .halted],
        "the new members are worse than the old ones, or could not be judged"
    )
    public static let rolloutNone = ErrorCode(
        "rollout.none",
        .usage,
        "there is no rollout that the command could be about, or nothing stops the one that there is"
    )
    public static let rolloutOpen = ErrorCode(
        "rollout.open",
        .blocked,
        "a rollout of the server is open; a second one can't begin"
    )
    public static let rolloutReverted = ErrorCode(
        "rollout.reverted",
        [.reverted, .halted],
        "the replacement of a member turned back, which stops the rollout"
    )
    public static let rolloutUnavailable = ErrorCode(
        "rollout.unavailable",
        .blocked,
        "so many members are out that 'max-unavailable' lets no other be taken out"
    )

    /// The codes of errors about rollouts.
    public static let rollouts: [ErrorCode] = [
        rolloutDeadline, rolloutJudged, rolloutNone, rolloutOpen, rolloutReverted, rolloutUnavailable,
    ]
}
