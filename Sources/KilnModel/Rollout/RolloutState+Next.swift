extension RolloutState {
    /// What is to be done next, as things are now.
    public func next(_ observed: RolloutObservation) -> RolloutStep {
        if let outcome { return .finished(outcome) }
        return brokenSoak(observed) ?? decision(observed) ?? recovery(observed) ?? endOfAttempt(observed)
            ?? putBack(observed) ?? standstill(observed) ?? (direction == .forward ? forward(observed) : back(observed))
    }

    /// What is seen once is written down first, whatever else there is to do: the next look may see it ready again.
    private func brokenSoak(_ observed: RolloutObservation) -> RolloutStep? {
        let broken = progress.filter { ordinal, progress in
            progress.soakBegan != nil && observed.members[ordinal]?.isAvailable != true
        }
        return broken.keys.max().map { .record(.soakBroken($0)) }
    }

    private func recovery(_ observed: RolloutObservation) -> RolloutStep? {
        let open = observed.members.filter { ordinal, member in
            // One that could not be recovered waits for a person.
            member.standing == .open && !observed.busy.contains(ordinal) && pause?.failure?.ordinal != ordinal
        }
        return open.keys.max().map { .recover($0) }
    }

    /// Writes down how a replacement ended of which the journal has the beginning only.
    private func endOfAttempt(_ observed: RolloutObservation) -> RolloutStep? {
        for ordinal in plan.ordinals where !observed.busy.contains(ordinal) {
            guard let attempt = progress[ordinal]?.attempt, let member = observed.members[ordinal] else { continue }
            if member.standing == .halted { return .record(.replaced(ordinal, .halted)) }
            if member.generation > attempt.after { return .record(.replaced(ordinal, .committed)) }
            if member.highest > attempt.after {
                let latest = member.latest == .aborted ? Outcome.aborted : .reverted
                return .record(.replaced(ordinal, latest))
            }
        }
        return nil
    }

    /// What follows from a failure.
    private func decision(_ observed: RolloutObservation) -> RolloutStep? {
        guard let failure else { return nil }
        if failure.needsPerson || direction == .back || plan.spec.onFailure == .pause {
            return .record(.paused(RolloutPause(at: observed.now, failure: failure)))
        }
        return .record(.turnedBack(failure, at: observed.now))
    }

    /// A member that is ready and on which nothing is being done gets requests.
    private func putBack(_ observed: RolloutObservation) -> RolloutStep? {
        let idle = observed.members.filter { ordinal, member in
            guard member.isReady, member.isIn == false, member.standing == .none, !observed.busy.contains(ordinal)
            else { return false }
            return pause != nil || progress[ordinal] == nil || isArrived(ordinal, observed)
        }
        return idle.keys.max().map { .putIn($0) }
    }

    private func standstill(_ observed: RolloutObservation) -> RolloutStep? {
        guard let pause else { return nil }
        if !observed.busy.isEmpty { return .wait(.busy(observed.busy.sorted())) }
        guard let lasts = pause.lasts else { return .pause(pause, until: nil) }
        // The host was started again: its clock begins at zero.
        if observed.now < pause.at {
            return .record(.paused(RolloutPause(at: observed.now, lasts: lasts, failure: pause.failure)))
        }
        return observed.now >= pause.at + lasts ? .record(.continued) : .pause(pause, until: pause.at + lasts)
    }

    private func forward(_ observed: RolloutObservation) -> RolloutStep {
        let group = isWithCanaries ? plan.canaries : plan.ordinals
        if let step = step(among: group, observed) { return step }
        if let step = judgement(observed) { return step }
        return isWithCanaries ? afterCanaries(observed) : end(observed)
    }

    private func end(_ observed: RolloutObservation) -> RolloutStep {
        observed.busy.isEmpty ? .record(.ended(outcome(observed))) : .wait(.busy(observed.busy.sorted()))
    }

    private func afterCanaries(_ observed: RolloutObservation) -> RolloutStep {
        let isAnyNew = plan.canaries.contains { isNew($0, observed) }
        guard isAnyNew, !isFull else { return .record(.continued) }
        switch plan.spec.pause {
        case .none: return .record(.continued)
        case .lasting(let time): return .record(.paused(RolloutPause(at: observed.now, lasts: time)))
        case .untilPromoted: return .record(.paused(RolloutPause(at: observed.now)))
        }
    }

    private var isUnjudged: Bool { plan.spec.judge != nil && !isFull && !judged.isSuperset(of: committed) }

    /// Members that became new are judged when no other is in flight, as long as one is left to compare them with.
    private func judgement(_ observed: RolloutObservation) -> RolloutStep? {
        let others = observed.members.keys.filter { !isNew($0, observed) }.sorted()
        guard isUnjudged, !others.isEmpty, !plan.ordinals.contains(where: { isInFlight($0, observed) })
        else { return nil }
        if let judgement = observed.judgement { return .record(.judged(judgement)) }
        return .judge(new: committed.filter { isNew($0, observed) }, old: others)
    }

    private func back(_ observed: RolloutObservation) -> RolloutStep {
        // One of which no end is written became new last.
        let age = { ordinal in committed.firstIndex(of: ordinal) ?? committed.count }
        let group = plan.ordinals.sorted { (age($0), $0) > (age($1), $1) }
        return step(among: group, observed) ?? end(observed)
    }

    /// The next step with any of these members: those in flight first, then the others in order.
    private func step(among group: [Int], _ observed: RolloutObservation) -> RolloutStep? {
        let inFlight = plan.ordinals.filter { isInFlight($0, observed) }
        let isCrowded = inFlight.count >= max(1, plan.spec.maxUnavailable + plan.spec.maxSurge)
        let isHeldBack = isCrowded || direction == .forward && isUnjudged && !isWithCanaries
        let fresh = group.filter { !inFlight.contains($0) && !isArrived($0, observed) }
        let steps = (inFlight + (isHeldBack ? [] : fresh)).compactMap { step(with: $0, observed) }
        guard let step = steps.min(by: { $0.rank < $1.rank }) else { return nil }
        guard case .wait(.unavailable(let out, _)) = step else { return step }
        return waiting(for: out, observed)
    }

    private func waiting(for out: [Int], _ observed: RolloutObservation) -> RolloutStep {
        guard let since = waitingSince, since <= observed.now else { return .record(.waiting(at: observed.now)) }
        let limit = since + plan.spec.progressDeadline
        guard observed.now >= limit else { return .wait(.unavailable(out, until: limit)) }
        let names = out.map(String.init).joined(separator: ", ")
        let failure = RolloutFailure(
            .rolloutUnavailable,
            "expected room to take out another member, found out: \(names)",
            needsPerson: true
        )
        return .record(.failed(failure))
    }
}

extension RolloutStep {
    /// What can be done goes before what has to be waited for, and what goes on by itself before what does not.
    fileprivate var rank: Int {
        switch self {
        case .wait(.unavailable): 2
        case .wait, .soak: 1
        default: 0
        }
    }
}
