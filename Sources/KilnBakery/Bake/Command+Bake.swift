import KilnSystem

extension Command {
    /// A program of a bake: it sees the user's environment, such as a proxy, may tidy up when it is told to end, and ends
    /// with this process; nobody else would end it.
    ///
    /// mmdebstrap downloads a Debian, and removes its scratch folder before it ends.
    static func bake(
        _ program: String,
        _ arguments: [String],
        environment: [String: String] = [:]
    ) -> Command {
        var command = Command(program, arguments, deadline: .seconds(7_200))
        command.surroundings = .inherited(environment)
        command.grace = .seconds(10)
        command.endsWithParent = true
        return command
    }
}
