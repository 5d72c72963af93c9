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
}
