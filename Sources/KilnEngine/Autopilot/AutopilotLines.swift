import KilnModel

extension AutopilotDecision {
    /// What people and programs are told of it.
    var line: AutopilotLine {
        switch self {
        case .record(let event): event.line
        case .act(let heal): heal.line
        case .wait(let member, let wait): wait.line(member)
        }
    }
}

extension AutopilotEvent {
    /// What people and programs are told of it.
    public var line: AutopilotLine {
        switch self {
        case .began(let heal, _): return heal.line
        case .ended(let member, .serves, _): return AutopilotLine(member, "serves", "it is ready")
        case .ended(let member, .left(let reason), _):
            return AutopilotLine(member, "left", "nothing was done: \(reason)")
        case .ended(let member, .failed(let failure), _):
            return AutopilotLine(member, "that did not help", failure)
        case .gaveUp(let what, _): return what.line
        case .serves(let member, _): return AutopilotLine(member, "serves", "it is ready again")
        case .scaling(let move, _): return move.line
        case .scaled(let server, let end, _): return end.line(server)
        }
    }
}

extension AutopilotLine {
    /// That something failed, why, and what to do next.
    init(_ member: MemberID, _ what: String, _ failure: AutopilotFailure) {
        let next = failure.hint.map { "; next: \($0)" } ?? ""
        self.init(member, "failed", "\(what): \(failure.reason)\(next)")
        code = failure.code
        hint = failure.hint
    }
}

extension AutopilotHeal {
    var line: AutopilotLine {
        var line = AutopilotLine(member, act.rawValue, "\(why); \(what)\(figures)")
        line.cause = cause
        line.generation = generation
        guard act != .renew else { return line }
        line.seconds = Int(lasted.components.seconds)
        line.attempt = attempt
        line.used = used
        line.limit = spec.atMost
        return line
    }

    private var why: String {
        switch cause {
        case .gone: "its machine is off, and nobody stopped it"
        case .silent: "it runs and has not been ready for \(lasted.inSeconds)"
        case .interrupted: "a command that changed it was killed, \(lasted.inSeconds) ago at least"
        case .old: "it is older than its max-age"
        }
    }

    private var what: String {
        switch act {
        case .start: "starting generation \(generation) again"
        case .restart: "ending generation \(generation) by force, unless it only stands still, and starting it again"
        case .recover: "finishing or taking back what was begun"
        case .replace:
            "replacing generation \(generation) by one of the same image and configuration, once its volumes have passed a "
                + "check"
        case .renew: "replacing generation \(generation) by one of the same image and configuration"
        }
    }

    private var figures: String {
        guard act != .renew else { return "" }
        if isFirstStart {
            return " (heal \(attempt) in a row; the first since the host's boot does not count for its server)"
        }
        return " (heal \(attempt) in a row; \(used) of at most \(spec.atMost) of the server in \(spec.per.inSeconds))"
    }
}

extension AutopilotGivingUp {
    var line: AutopilotLine {
        let heals = acts.count == 1 ? "1 heal" : "\(acts.count) heals in a row"
        let words = acts.map(\.rawValue).joined(separator: ", ")
        let why = failure.map { ": \($0.reason)" } ?? ", after which it fell again"
        // Another machine would be none that goes on, so who stands still has a way of its own.
        let next = failure.flatMap { $0.needsPerson || $0.code == .machinePaused ? $0.hint : nil } ?? usual
        var line = AutopilotLine(
            member,
            "given-up",
            "given up after \(heals) (\(words)) in \(lasted.inSeconds)\(why); next: \(next)"
        )
        line.attempt = acts.count
        line.seconds = Int(lasted.components.seconds)
        line.code = failure?.code
        line.hint = next
        return line
    }

    private var usual: String {
        "'kiln logs \(member)' and 'kiln history \(member)' tell more; 'kiln start \(member)' or 'kiln replace \(member)' goes on, "
            + "and once it is ready it is looked after again"
    }
}

extension AutopilotWait {
    fileprivate func line(_ member: MemberID) -> AutopilotLine {
        if case .left(let left) = self { return AutopilotLine(member, "leave", "left alone: \(left.reason)") }
        return AutopilotLine(member, "wait", text)
    }

    private var text: String {
        switch self {
        case .lasting(.interrupted, let needed):
            "a command that changed it was killed; that is ended here once it has lasted \(needed.inSeconds)"
        case .lasting(_, let needed): "it is not ready; something is done once that has lasted \(needed.inSeconds)"
        case .backOff(let heals, let pause):
            "it is not ready; after \(heals) in a row the next heal comes \(pause.inSeconds) later"
        case .limited(let used, let spec):
            "it is not ready; its server was healed \(used) times in \(spec.per.inSeconds), and may be at most "
                + "\(spec.atMost) times"
        case .meltdown(let fallen, let all):
            "\(fallen) of \(all) members fell within \(AutopilotState.meltdownTime.inSeconds), so something else must be wrong; "
                + "none is healed until it is fewer than \(AutopilotState.meltdownMembers), or no more than a fifth: "
                + "'kiln up' starts all of them"
        case .crowded: "it is not ready; others are being healed first"
        case .left(let left): left.reason
        }
    }
}

extension AutopilotWait.Left {
    fileprivate var reason: String {
        switch self {
        case .stopped: "a person stopped it"
        case .halted: "it is halted, so a person has to decide"
        case .atWork: "another command is at work on it"
        case .rollout: "a rollout of its server is open"
        case .givenUp: "it was given up"
        case .unknown(let why): "nothing can be told of it: \(why)"
        }
    }
}

extension Duration {
    fileprivate var inSeconds: String { "\(components.seconds) s" }
}
