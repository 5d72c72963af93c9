import ArgumentParser

/// The options that every verb takes.
struct GlobalOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The libvirt connection, such as qemu:///session.",
            discussion: "Without it: LIBVIRT_DEFAULT_URI, else a private daemon that kiln starts by itself.",
            valueName: "uri"
        )
    )
    var connect: String?

    @Option(help: "How data is written to standard output: table or json.")
    var format = OutputFormat.table

    @Flag(name: .shortAndLong, help: "Write no progress to standard error, only errors.")
    var quiet = false

    @Flag(
        help: ArgumentHelp(
            "Write every call to libvirt, to guests and to other programs to standard error.",
            discussion:
                "With its duration and outcome; arguments, input, content and user-data by length only. "
                + "KILN_LOG=FILE appends the same to a file."
        )
    )
    var debug = false
}
