import KilnModel

/// Lets members come and go as their load wants it; each decision is ``AutoscaleState``'s.
extension AutopilotDriver {
    mutating func decide(
        _ seen: AutoscaleObservation,
        _ group: inout ThrowingTaskGroup<End, any Error>
    ) throws {
        scale.look(seen)
        let decisions = scale.next(seen)
        let decided = Set(decisions.map(\.server))
        saidOfServers = saidOfServers.filter { decided.contains($0.key) }
        for decision in decisions { try take(decision, &group) }
        report.stuck += decisions.filter(\.needsPerson).map { $0.server.member(0) }
    }

    private mutating func take(
        _ decision: AutoscaleDecision,
        _ group: inout ThrowingTaskGroup<End, any Error>
    ) throws {
        if !decision.isSame(as: saidOfServers[decision.server]) { say(decision.line) }
        saidOfServers[decision.server] = decision
        if options.isDryRun { return }
        switch decision {
        case .record(let event): try record(event)
        case .act(let move):
            try record(.scaling(move, at: AutopilotClock.now))
            begin(move, isBegun: false, &group)
        case .finish(let move): begin(move, isBegun: true, &group)
        case .wait: break
        }
    }

    private mutating func begin(
        _ move: AutoscaleMove,
        isBegun: Bool,
        _ group: inout ThrowingTaskGroup<End, any Error>
    ) {
        scaling.insert(move.server)
        let mover = AutopilotMover(engine: view.engine)
        group.addTask { .scaling(move, try await mover.perform(move, isBegun: isBegun)) }
    }

    /// Members have come or gone, or could not.
    mutating func end(_ move: AutoscaleMove, _ end: AutoscaleEnd) throws {
        scaling.remove(move.server)
        saidOfServers[move.server] = nil
        let event = AutopilotEvent.scaled(move.server, end, at: AutopilotClock.now)
        try record(event)
        say(event.line)
        switch end {
        case .done: report.done += 1
        case .failed: report.failed += 1
        case .left: break
        }
    }
}

extension AutoscaleDecision {
    /// Whether nothing more is done until a person has done something.
    fileprivate var needsPerson: Bool {
        switch self {
        case .wait(_, .left(.unfinished)), .wait(_, .left(.mixed)): true
        default: false
        }
    }

    /// Whether it says the same, though its figures may have moved on.
    fileprivate func isSame(as other: AutoscaleDecision?) -> Bool {
        switch (self, other) {
        case (.record, .record?), (.finish, .finish?): true
        case (.act(let move), .act(let before)?): move.from == before.from && move.to == before.to
        case (.wait(_, .left(let left)), .wait(_, .left(let before))?): left == before
        case (.wait(_, .pausing), .wait(_, .pausing)?), (.wait(_, .lasting), .wait(_, .lasting)?),
            (.wait(_, .most), .wait(_, .most)?), (.wait(_, .memory), .wait(_, .memory)?):
            true
        default: false
        }
    }
}
