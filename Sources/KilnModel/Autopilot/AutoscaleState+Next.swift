/// What follows from what an autopilot did and what it sees of the load.
extension AutoscaleState {
    /// What is decided about all servers that should have another number of members; ``look(_:)`` comes before.
    public func next(_ observed: AutoscaleObservation) -> [AutoscaleDecision] {
        var decisions: [AutoscaleDecision] = []
        var coming = open.values.filter { observed.busy.contains($0.server) }
        for (id, seen) in observed.servers.sorted(by: { $0.key < $1.key }) where !observed.busy.contains(id) {
            var server = seen
            server.room = seen.room.map { max(0, $0 - taken(by: coming, observed, eachOf: seen.memory)) }
            guard let decision = next(id, server, observed.now) else { continue }
            if case .act(let move) = decision { coming.append(move) }
            decisions.append(decision)
        }
        return decisions
    }

    /// For how many members of a server there is no memory because of those of others that come.
    ///
    /// The host has it until their guests have touched it.
    private func taken(
        by coming: [AutoscaleMove],
        _ observed: AutoscaleObservation,
        eachOf memory: ByteCount
    ) -> Int {
        let bytes = coming.reduce(0.0) { sum, move in
            sum + Double(max(0, move.to - move.from)) * Double(observed.servers[move.server]?.memory.bytes ?? 0)
        }
        return Int(min(bytes / Double(max(1, memory.bytes)), 1_000_000).rounded(.up))
    }

    private func next(_ id: ServerID, _ server: AutoscaleObservation.Server, _ now: Duration) -> AutoscaleDecision? {
        if let left = server.isDisturbed { return .wait(id, .left(left)) }
        if let move = open[id] { return end(of: move, server, now) }
        if let left = server.isUnsteady { return .wait(id, .left(left)) }
        guard let trace = traces[id], let figures = trace.figures(isOnlyLook: isOnlyLook) else { return nil }
        let aim = server.spec.allowed(figures.wanted)
        guard aim != server.replicas else {
            return figures.wanted > aim ? .wait(id, .most(wanted: figures.wanted, most: aim)) : nil
        }
        if let pause = pause(of: id, server.spec), let latest = latest[id], now - latest < pause {
            return .wait(id, .pausing(wanted: aim, pause: pause))
        }
        return aim > server.replicas
            ? more(id, server, figures, aim) : fewer(id, server, figures, trace, aim, now)
    }

    // What was begun by an autopilot that is gone: the record says whether anything came of it.
    private func end(
        of move: AutoscaleMove,
        _ server: AutoscaleObservation.Server,
        _ now: Duration
    ) -> AutoscaleDecision {
        guard server.isUnfinished else {
            let end: AutoscaleEnd =
                server.replicas == move.to ? .done : .left("whoever began it ended before anything was done")
            return .record(.scaled(move.server, end, at: now))
        }
        return .finish(AutoscaleMove(move.server, from: move.from, to: server.replicas, figures: move.figures))
    }

    // Where members can't come or go it is tried less and less often.
    private func pause(of id: ServerID, _ spec: AutoscaleSpec) -> Duration? {
        failures[id].map { max(spec.cooldown, AutopilotState.pause(after: $0)) }
    }

    private func more(
        _ id: ServerID,
        _ server: AutoscaleObservation.Server,
        _ figures: AutoscaleFigures,
        _ aim: Int
    ) -> AutoscaleDecision {
        if server.isMixed { return .wait(id, .left(.mixed)) }
        let doubled = min(aim, server.replicas * 2)
        let to = min(doubled, server.replicas + min(server.room ?? aim, aim))
        guard to > server.replicas else { return .wait(id, .memory(wanted: aim)) }
        let bound: AutoscaleMove.Bound =
            to < doubled ? .memory : doubled < aim ? .doubling : aim != figures.wanted ? .limit : .none
        return .act(AutoscaleMove(id, from: server.replicas, to: to, figures: figures, bound: bound))
    }

    private func fewer(
        _ id: ServerID,
        _ server: AutoscaleObservation.Server,
        _ figures: AutoscaleFigures,
        _ trace: AutoscaleTrace,
        _ aim: Int,
        _ now: Duration
    ) -> AutoscaleDecision {
        let highest = trace.highest ?? server.replicas
        guard highest < server.replicas, isCalm(id, server.spec, trace, now) else {
            return .wait(id, .lasting(wanted: aim, needed: server.spec.calm))
        }
        let to = server.replicas - 1
        let bound: AutoscaleMove.Bound = aim < to ? .oneByOne : aim != figures.wanted ? .limit : .none
        return .act(
            AutoscaleMove(id, from: server.replicas, to: to, figures: figures, highest: highest, bound: bound)
        )
    }

    // Whose only look this is does not see what was before it, but what the journal says.
    private func isCalm(_ id: ServerID, _ spec: AutoscaleSpec, _ trace: AutoscaleTrace, _ now: Duration) -> Bool {
        if isOnlyLook { return latest[id].map { now - $0 >= spec.calm } ?? true }
        return trace.since.map { now - $0 >= spec.calm - spec.window } ?? false
    }
}
