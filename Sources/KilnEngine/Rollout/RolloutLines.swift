import KilnModel

extension RolloutEvent {
    /// What people are told of it; nothing where there is nothing to say.
    var line: String? {
        switch self {
        case .entered(let move, _):
            switch move.kind {
            case .takeOut: return "member \(move.ordinal) gets no more requests"
            case .replace: return "member \(move.ordinal) is replaced\(move.isWarm ? ", its successor beside it" : "")"
            case .putIn: return "member \(move.ordinal) gets requests again"
            case .rollBack: return "member \(move.ordinal) goes back to what it was"
            }
        case .replaced(let ordinal, let outcome): return "member \(ordinal): its replacement was \(outcome.rawValue)"
        case .failed(let failure): return failure.reason
        case .soakBroken(let ordinal): return "member \(ordinal) was not ready during its soak"
        case .judged(let judgement): return "the judge: \(judgement.verdict.rawValue): \(judgement.reason)"
        case .paused(let pause):
            if let failure = pause.failure { return "paused: \(failure.reason)" }
            if pause.isOfPerson { return "pausing: what was begun is ended first" }
            return pause.lasts.map { "paused for \($0.components.seconds) s" } ?? "paused until it is promoted"
        case .turnedBack(let failure, _): return "turning back: \(failure.reason)"
        case .aborted: return "aborted: what is new is taken back"
        case .undone: return "undone: what is new is taken back"
        case .continued: return "the others follow"
        // Of its beginning whoever begins it tells more.
        case .began, .completed, .soaking, .settled, .waiting, .promoted, .retried, .resumed, .ended: return nil
        }
    }
}

extension RolloutStep {
    /// What people are told of that is waited for, in a rollout of a server.
    func line(of server: ServerID, within limit: Duration) -> String? {
        switch self {
        case .soak(let ordinal, _): "member \(ordinal) serves; looking on whether it stays ready"
        case .wait(.unavailable(let out, _)):
            "waiting, for at most \(limit.components.seconds) s: no other member may be taken out while "
                + "\(out.map { "\(server).\($0)" }.joined(separator: ", ")) can't serve; 'kiln ps \(server.lab)' shows why, and "
                + "'kiln start' brings back what was stopped"
        case .wait(.notReady(let ordinal, _)): "waiting until member \(ordinal) is ready"
        default: nil
        }
    }
}
