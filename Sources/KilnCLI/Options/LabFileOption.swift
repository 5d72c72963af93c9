import ArgumentParser

/// The file that declares a lab.
struct LabFileOption: ParsableArguments {
    /// The file that is read where none is named.
    static let defaultPath = "kiln.yaml"

    @Option(
        name: [.customShort("f"), .long],
        help: ArgumentHelp("The lab file.", valueName: "file"),
        completion: .file(extensions: ["yaml", "yml"])
    )
    var file: String?

    /// The file that was named, or the usual one.
    var path: String { file ?? LabFileOption.defaultPath }
}
