import ArgumentParser

/// A server as a user names it.
struct ServerArgument: ParsableArguments {
    @Argument(
        help: "The server: NAME where only one lab has it, else LAB/NAME.",
        completion: .servers
    )
    var server: String
}
