// The meaning that each code has in the index documents it.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

extension ErrorCode {
    public static let homeClosed = ErrorCode(
        "home.closed",
        .unreachable,
        "the user who runs machines can't pass through to KILN_HOME"
    )
    public static let homeRelative = ErrorCode("home.relative", .usage, "KILN_HOME is no absolute path")
    public static let homeUnknown = ErrorCode("home.unknown", .usage, "neither KILN_HOME nor HOME is set")
    public static let homeUnusable = ErrorCode("home.unusable", .unreachable, "KILN_HOME can't be made or used")
    public static let aliasFailed = ErrorCode(
        "alias.failed",
        .internalError,
        "the short name of KILN_HOME can't be made"
    )
    public static let aliasTooLong = ErrorCode(
        "alias.too-long",
        .internalError,
        "a path below KILN_HOME is too long for a socket"
    )
    public static let aliasUnsafe = ErrorCode(
        "alias.unsafe",
        .blocked,
        "the short name of KILN_HOME belongs to somebody else"
    )
    public static let journalFuture = ErrorCode("journal.future", .halted, "a journal was written by a newer Kiln")
    public static let journalShort = ErrorCode("journal.short", .halted, "a journal has lost its end")
    public static let journalTorn = ErrorCode(
        "journal.torn",
        .halted,
        "a journal is damaged, with whole records after the damage"
    )
    public static let lockHeld = ErrorCode(
        "lock.held",
        .blocked,
        "another process changes the same thing; the message names it"
    )
    public static let ownerFailed = ErrorCode(
        "owner.failed",
        .internalError,
        "a file can't be given to the user who runs machines"
    )
    public static let ownerMissing = ErrorCode(
        "owner.missing",
        .unreachable,
        "the user who runs machines does not exist"
    )
    public static let ownerRefused = ErrorCode(
        "owner.refused",
        .internalError,
        "a path is no plain file or directory, so it is given to nobody"
    )
    public static let stateMissing = ErrorCode("state.missing", .halted, "a record that should be there is not")
    public static let stateNotRemovable = ErrorCode(
        "state.not-removable",
        .internalError,
        "a file or directory can't be removed"
    )
    public static let stateNotWritable = ErrorCode(
        "state.not-writable",
        [.internalError, .aborted],
        "a file or directory can't be written"
    )
    public static let stateNewer = ErrorCode("state.newer", .halted, "a later version of Kiln wrote a record")
    public static let stateUnreadable = ErrorCode("state.unreadable", .internalError, "a record can't be read")

    /// The codes of errors about what Kiln keeps on disk, and its locks.
    public static let state: [ErrorCode] = [
        homeClosed, homeRelative, homeUnknown, homeUnusable, aliasFailed, aliasTooLong, aliasUnsafe,
        journalFuture, journalShort, journalTorn, lockHeld, ownerFailed, ownerMissing, ownerRefused,
        stateMissing, stateNewer, stateNotRemovable, stateNotWritable, stateUnreadable,
    ]
}
