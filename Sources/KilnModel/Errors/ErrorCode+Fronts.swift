// The meaning that each code has in the index documents it.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

extension ErrorCode {
    public static let frontFailed = ErrorCode(
        "front.failed",
        [.aborted, .deadline],
        "the front of a server, which owns its published ports, can't be started, or does not do what it is told"
    )
    public static let frontNoProgram = ErrorCode(
        "front.no-program",
        .aborted,
        "requests are to be held, and the program that does so is not installed"
    )

    /// The codes of errors about fronts.
    public static let fronts: [ErrorCode] = [frontFailed, frontNoProgram]
}
