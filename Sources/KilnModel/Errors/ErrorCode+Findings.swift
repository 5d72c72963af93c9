// The meaning that each code has in the index documents it.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

extension ErrorCode {
    public static let driftCopyTorn = ErrorCode(
        "drift.copy-torn",
        .internalError,
        "the copy of a root is not whole: the guest wrote meanwhile"
    )
    public static let driftListingDamaged = ErrorCode(
        "drift.listing-damaged",
        .internalError,
        "the listing of a root can't be read"
    )
    public static let driftNoFileSystem = ErrorCode(
        "drift.no-file-system",
        .internalError,
        "a disk holds no ext4 file system, neither from its start on nor in a partition"
    )
    public static let driftReplayFailed = ErrorCode(
        "drift.replay-failed",
        .unmet,
        "the journal of a root's file system can't be replayed"
    )
    public static let driftRootMissing = ErrorCode(
        "drift.root-missing",
        .usage,
        "the root of that generation is not kept any more"
    )
    public static let driftScratchFailed = ErrorCode(
        "drift.scratch-failed",
        .internalError,
        "a working file can't be made"
    )
    public static let driftSizeChanged = ErrorCode(
        "drift.size-changed",
        .unmet,
        "a root has another size than it was made with"
    )
    public static let driftWalkFailed = ErrorCode(
        "drift.walk-failed",
        .internalError,
        "a root's file system can't be read"
    )
    public static let faultImpossible = ErrorCode(
        "fault.impossible",
        .aborted,
        "a fault of a scenario can't be made as things are"
    )
    public static let faultNotHit = ErrorCode("fault.not-hit", .unmet, "a fault of a scenario hit nothing")
    public static let faultNotUndone = ErrorCode(
        "fault.not-undone",
        .halted,
        "a fault of a scenario could not be taken back"
    )
    public static let ledgerListFailed = ErrorCode(
        "ledger.list-failed",
        .internalError,
        "the list of acknowledgements can't be written or read"
    )
    public static let ledgerUnreadable = ErrorCode(
        "ledger.unreadable",
        .unmet,
        "what a service holds of a ledger can't be read"
    )
    public static let sqlFailed = ErrorCode("sql.failed", .unmet, "a session with a database ended or broke off")
    public static let runDataLoss = ErrorCode(
        "run.data-loss",
        .dataLoss,
        "acknowledged records are lost, torn or doubled"
    )
    public static let runGoesOn = ErrorCode(
        "run.goes-on",
        .blocked,
        "a run whose report is asked for has not ended yet"
    )
    public static let runImagesMissing = ErrorCode(
        "run.images-missing",
        .aborted,
        "the store lacks images that a scenario needs; none was begun"
    )
    public static let runKilled = ErrorCode("run.killed", .interrupted, "a run was killed before its end")
    public static let runNothing = ErrorCode("run.nothing", .usage, "the command line means no scenario")
    public static let runRecordUnreadable = ErrorCode(
        "run.record-unreadable",
        .usage,
        "what was written down of a run can't be read"
    )
    public static let runUnmet = ErrorCode(
        "run.unmet",
        [.unmet, .aborted, .reverted, .halted, .blocked, .deadline],
        "an expectation of the scenario was not met"
    )
    public static let rootDamaged = ErrorCode(
        "root.damaged",
        .aborted,
        "a root's file system is damaged, so no archive is made of it"
    )
    public static let rootNoFile = ErrorCode("root.no-file", .usage, "there is no such regular file on a root")
    public static let rootTooLarge = ErrorCode(
        "root.too-large",
        .usage,
        "a file on a root is too large to be copied out"
    )

    /// The codes of errors about scenarios and drift.
    public static let findings: [ErrorCode] = [
        rootDamaged, rootNoFile, rootTooLarge,
        driftCopyTorn, driftListingDamaged, driftNoFileSystem, driftReplayFailed, driftRootMissing,
        driftScratchFailed, driftSizeChanged, driftWalkFailed, faultImpossible, faultNotHit,
        faultNotUndone, ledgerListFailed, ledgerUnreadable, runDataLoss,
        runGoesOn, runImagesMissing, runKilled, runNothing, runRecordUnreadable, runUnmet, sqlFailed,
    ]
}
