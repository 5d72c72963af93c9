import KilnModel

extension AutoscaleDecision {
    /// What people and programs are told of it.
    var line: AutopilotLine {
        switch self {
        case .record(let event): event.line
        case .act(let move): move.line
        case .finish(let move):
            AutopilotLine(
                move.server.member(0),
                move.word,
                "an autopilot that ended let members come or go; going on until there are \(members(move.to))"
            )
        case .wait(let server, let wait): wait.line(server)
        }
    }
}

extension AutoscaleMove {
    /// What is done, in a word.
    var word: String { to > from ? "scale-out" : "scale-in" }

    /// What people and programs are told of it.
    var line: AutopilotLine {
        var line = AutopilotLine(
            server.member(0),
            word,
            "\(figures.text), so \(figures.wanted) would do\(lasted); from \(members(from)) to \(to)\(why)"
        )
        line.scaling = self
        return line
    }

    private var lasted: String { highest.map { ", and for long enough no more than \($0)" } ?? "" }

    private var why: String {
        switch bound {
        case .none: ""
        case .limit: ", since it may have no \(to > from ? "more" : "fewer")"
        case .doubling: ", since at most as many come at once as there are"
        case .oneByOne: ", since they go one by one"
        case .memory: ", since the host has memory for no more"
        }
    }
}

extension AutoscaleFigures {
    /// What was measured, in words.
    fileprivate var text: String {
        let seconds = max(1, Int(window / .seconds(1)))
        let target = target.number
        return switch self.target {
        case .requests:
            "\(members(serving)) answered \(rounded(each)) requests a second each, for \(seconds) s; \(target) are wanted"
        case .queue:
            "\(rounded(each)) requests waited for each of \(members(serving)), for \(seconds) s; \(target) are wanted"
        }
    }

    private func rounded(_ number: Double) -> String {
        let tenths = Int(min(number * 10, 1e9).rounded())
        return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
    }
}

extension AutoscaleEnd {
    /// What people and programs are told of it.
    func line(_ server: ServerID) -> AutopilotLine {
        let member = server.member(0)
        switch self {
        case .done: return AutopilotLine(member, "scaled", "all of its members serve")
        case .left(let reason): return AutopilotLine(member, "left", "no member came or went: \(reason)")
        case .failed(let failure): return AutopilotLine(member, "that did not succeed", failure)
        }
    }
}

extension AutoscaleWait {
    fileprivate func line(_ server: ServerID) -> AutopilotLine {
        let member = server.member(0)
        if case .left(let left) = self {
            return AutopilotLine(member, "leave", "the number of its members is left alone: \(left.reason(server))")
        }
        return AutopilotLine(member, "wait", text)
    }

    private var text: String {
        switch self {
        case .pausing(let wanted, let pause):
            "\(members(wanted)) would do; that waits until \(pause.components.seconds) s after members could not come or go"
        case .lasting(let wanted, let needed):
            "\(members(wanted)) would do; one goes once fewer have been enough for \(needed.components.seconds) s"
        case .most(let wanted, let most): "\(members(wanted)) would do, and it may have at most \(most)"
        case .memory(let wanted): "\(members(wanted)) would do, and the host has memory for no more than there are"
        case .left: ""
        }
    }
}

extension AutoscaleWait.Left {
    func reason(_ server: ServerID) -> String {
        switch self {
        case .rollout: "a rollout is open"
        case .atWork: "another command is at work on one of them"
        case .healing: "one of them is being healed"
        case .unfinished:
            "those that are there are not those that are declared, so a person has to decide: 'kiln ps \(server.lab)', then "
                + "'kiln scale \(server) N'"
        case .mixed:
            "they are not all of one image and configuration, so nobody can say what another one should be: 'kiln replace \(server)' "
                + "makes them alike first"
        case .unready(let serving, let all): "\(serving) of \(all) get requests"
        case .unknown(let why): why
        }
    }
}

private func members(_ count: Int) -> String { count == 1 ? "1 member" : "\(count) members" }
