// The meaning that each code has in the index documents it.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

extension ErrorCode {
    public static let templateChanged = ErrorCode(
        "template.changed",
        .aborted,
        "a file of a template was changed since it was made, so nothing is cloned from it"
    )
    public static let templateFailed = ErrorCode(
        "template.failed",
        .aborted,
        "the hypervisor did not save a template, or does not go on from it"
    )
    public static let templateImpossible = ErrorCode(
        "template.impossible",
        .aborted,
        "no template can be made of the server here, so its machines boot"
    )
    public static let templateMissing = ErrorCode(
        "template.missing",
        .aborted,
        "there is no template yet of what the server is made from"
    )
    public static let templateNotHeld = ErrorCode(
        "template.not-held",
        [.aborted, .deadline],
        "a machine did not come to the place where a template is held"
    )

    /// The codes of errors about templates; most of them are only told, and the machine boots.
    public static let templates: [ErrorCode] = [
        templateChanged, templateFailed, templateImpossible, templateMissing, templateNotHeld,
    ]
}
