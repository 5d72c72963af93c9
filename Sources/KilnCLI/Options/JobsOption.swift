import ArgumentParser

/// How many members of a server are worked on at once.
struct JobsOption: ParsableArguments {
    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "How many members of a server are started at once; without it as many as the host has processors.",
            valueName: "n"
        )
    )
    var jobs: Int?

    func validate() throws {
        if let jobs, jobs < 1 { throw ValidationError("--jobs: expected 1 or more, found \(jobs)") }
    }
}
