import ArgumentParser

/// A server as a user names it.
struct ServerArgument: ParsableArguments {
    @Argument(
        help: "The server: NAME where only one lab has it, else LAB/NAME.",
        completion: .custom { _, _, prefix in KnownNames.current.servers(startingWith: prefix) }
    )
    var server: String
}
