import KilnDocuments
import KilnModel

extension Value {
    /// A list of commands, each with a deadline of its own.
    func hooks() -> [Hook] { (list(of: "commands") ?? []).compactMap { $0.hook() } }

    private func hook() -> Hook? {
        guard case .map = node.content else { return command().map { Hook($0) } }
        guard let fields = Fields<HookFields>(self, "a command, or a map with 'run'") else { return nil }
        let run = fields[.run]?.command()
        guard let deadline = fields[.deadline] else { return run.map { Hook($0) } }
        let limit = deadline.duration()
        guard let run, let limit else { return nil }
        return Hook(run, deadline: limit)
    }
}
