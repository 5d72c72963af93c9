// The meaning that each code has in the index documents it.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

extension ErrorCode {
    public static let readyCrashed = ErrorCode(
        "ready.crashed",
        .aborted,
        "the kernel of the new machine died before it was ready"
    )
    public static let readyFailed = ErrorCode(
        "ready.failed",
        .aborted,
        "a check says that the machine can't become ready any more"
    )
    public static let readyLost = ErrorCode(
        "ready.lost",
        .aborted,
        "the machine was ready, but not for its min-healthy"
    )
    public static let readyMachineDied = ErrorCode(
        "ready.machine-died",
        .aborted,
        "the machine went off while it should become ready"
    )
    public static let readyTimeout = ErrorCode(
        "ready.timeout",
        .deadline,
        "the machine was not ready in time; the message says what it waited for"
    )
    public static let readyWrongFirmware = ErrorCode(
        "ready.wrong-firmware",
        .aborted,
        "the firmware of the machine finds nothing to start on the image's disk"
    )

    /// The codes of errors about what becomes of a machine that should get ready.
    public static let readiness: [ErrorCode] = [
        readyCrashed, readyFailed, readyLost, readyMachineDied, readyTimeout, readyWrongFirmware,
    ]
}
