// The meaning that each code has in the index documents it.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

extension ErrorCode {
    public static let networkFull = ErrorCode(
        "network.full",
        .blocked,
        "a network of a lab has no address left for a server"
    )
    public static let networkNoReader = ErrorCode(
        "network.no-reader",
        .aborted,
        "nothing in the image sets up a card on a network of the lab"
    )
    public static let networkSwitchFailed = ErrorCode(
        "network.switch-failed",
        [.aborted, .deadline],
        "the switch of a network can't be started, or does not do what it is told"
    )
    public static let networkSwitchImpostor = ErrorCode(
        "network.switch-impostor",
        .blocked,
        "somebody else listens at the socket of a network's switch"
    )

    /// The codes of errors about networks of labs.
    public static let networks: [ErrorCode] = [
        networkFull, networkNoReader, networkSwitchFailed, networkSwitchImpostor,
    ]
}
