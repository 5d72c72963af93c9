// The meaning that each code has in the index documents it.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

extension ErrorCode {
    public static let rehearsalFailed = ErrorCode(
        "rehearsal.failed",
        .aborted,
        "the rehearsal on clones failed; nothing was changed"
    )
    public static let rehearsalNameTaken = ErrorCode(
        "rehearsal.name-taken",
        .blocked,
        "a server has the name that the rehearsal needs"
    )
    public static let rehearsalNoName = ErrorCode(
        "rehearsal.no-name",
        .usage,
        "no name for a rehearsal can be made of the server's"
    )
    public static let failpointHit = ErrorCode(
        "failpoint.hit",
        .aborted,
        "the step failed because KILN_FAILPOINT said so"
    )
    public static let hookFailed = ErrorCode(
        "hook.failed",
        .aborted,
        "a hook in the guest did not end, or ended with another status than 0"
    )
    public static let launchFailed = ErrorCode(
        "launch.failed",
        .aborted,
        "a server was not brought up, and no step says why"
    )
    public static let replaceHalted = ErrorCode(
        "replace.halted",
        .halted,
        "an earlier replacement is halted: a person has to decide"
    )
    public static let replaceInterrupted = ErrorCode(
        "replace.interrupted",
        .aborted,
        "the command that replaced was interrupted; a later one took the way back"
    )
    public static let replaceOpen = ErrorCode(
        "replace.open",
        .halted,
        "a replacement stays open; the next command takes it up"
    )
    public static let rootForgetsMounts = ErrorCode(
        "root.forgets-mounts",
        .aborted,
        "a volatile root would lose the volumes that it gets after its boot"
    )
    public static let stopTimeout = ErrorCode("stop.timeout", .deadline, "the old machine did not shut down in time")
    public static let verifyDataDamaged = ErrorCode(
        "verify.data-damaged",
        .halted,
        "a check says that the data is damaged"
    )
    public static let verifyFailed = ErrorCode(
        "verify.failed",
        .aborted,
        "the new machine is healthy, but does not pass 'verify'"
    )
    public static let replaceHiddenData = ErrorCode(
        "replace.hidden-data",
        .aborted,
        "the old root has data that volumes hide"
    )
    public static let replaceRootUnseen = ErrorCode(
        "replace.root-unseen",
        .aborted,
        "the old root can't be looked at for hidden data"
    )

    /// The codes of errors about replacements, launches and recovery.
    public static let replacements: [ErrorCode] = [
        replaceHiddenData, replaceRootUnseen,
        rehearsalFailed, rehearsalNameTaken, rehearsalNoName, failpointHit, hookFailed, launchFailed, replaceHalted,
        replaceInterrupted, replaceOpen, rootForgetsMounts, stopTimeout, verifyDataDamaged, verifyFailed,
    ]
}
