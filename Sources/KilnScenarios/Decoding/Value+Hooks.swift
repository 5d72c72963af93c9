import KilnDocuments
import KilnModel

extension Value {
    /// A list of commands, each with a deadline of its own.
    func hooks() -> [Hook] { (list(of: "commands") ?? []).compactMap { $0.hook() } }

    private func hook() -> Hook? {
        guard case .map = node.content else { return command().map { Hook($0) } }
        guard let fields = Fields<HookFields>(self, "a command, or a map with 'run'") else { return nil }
        let run = fields[.run]?.command()
        let limit = fields[.deadline].map { $0.duration() } ?? Hook.usualDeadline
        let isQuiet = fields[.quiet].map { $0.bool() } ?? false
        guard let run, let limit, let isQuiet else { return nil }
        return Hook(run, deadline: limit, isQuiet: isQuiet)
    }

    /// Refuses hooks that ask for quiet where nobody could keep it.
    func judgeQuiet(_ spec: ServerSpec, of hooks: [Hook], isDrain: Bool) {
        let quiet = hooks.count(where: \.isQuiet)
        guard quiet > 0 else { return }
        var behindFront = spec
        if spec.fleet != nil { behindFront.hold = spec.hold ?? ServerSpec.usualHold }
        if !isDrain {
            problem("'quiet' is for hooks in 'drain': no client is sent to this machine yet; leave it out")
        } else if quiet > 1 {
            problem(
                "who waits through one hook that is quiet may wait in vain through the next; make one of the \(quiet)"
            )
        } else if behindFront.hold == nil {
            problem(
                "'quiet' is about requests that a front holds, which takes 'replicas' or 'hold'; add one, or leave it out"
            )
        } else if !behindFront.heldPorts.values.contains(true) {
            problem(
                "'quiet' is about requests, and no check shows that a port speaks HTTP: of other connections nobody knows whether "
                    + "something is under way; add an http check to 'ready', or leave it out"
            )
        }
    }
}
