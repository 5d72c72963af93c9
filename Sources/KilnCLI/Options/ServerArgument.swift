import ArgumentParser

/// A server as a user names it.
struct ServerArgument: ParsableArguments {
    @Argument(
        help: "The server: NAME where only one lab has it, else LAB/NAME; one of several members: NAME.0.",
        completion: .servers
    )
    var server: String
}
