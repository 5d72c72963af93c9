/// What the members of a rollout are, as far as it decides: always by what is observed.
extension RolloutState {
    typealias Observed = RolloutObservation.Member

    /// Whether a member has been brought to the target.
    func isNew(_ ordinal: Int, _ observed: RolloutObservation) -> Bool {
        guard let before = plan.member(ordinal), let member = observed.members[ordinal] else { return false }
        return member.version == plan.target && member.generation > before.generation
    }

    /// Whether a member is what the present direction wants it to be, or is to be left as it is.
    func isArrived(_ ordinal: Int, _ observed: RolloutObservation) -> Bool {
        if isGivenUp || skipped.contains(ordinal) || observed.members[ordinal] == nil { return true }
        if direction == .forward { return isNew(ordinal, observed) }
        // Where a machine was only made anew, its present one is what it was before.
        return !isNew(ordinal, observed) || plan.member(ordinal)?.stable == plan.target
    }

    /// Whether something was begun with a member that is to be ended before the next one is begun.
    func isInFlight(_ ordinal: Int, _ observed: RolloutObservation) -> Bool {
        guard progress[ordinal] != nil, let member = observed.members[ordinal] else { return false }
        if isUnderWay(ordinal, observed) { return true }
        if isArrived(ordinal, observed) { return !isLeftAlone(ordinal, observed) }
        return member.isIn == false
    }

    /// Whether a replacement of a member goes on at this moment, or was interrupted.
    private func isUnderWay(_ ordinal: Int, _ observed: RolloutObservation) -> Bool {
        observed.busy.contains(ordinal) || observed.members[ordinal]?.standing == .open
    }

    /// Whether it goes on with the successor beside the old machine.
    private func isSurging(_ ordinal: Int, _ observed: RolloutObservation) -> Bool {
        progress[ordinal]?.attempt?.isWarm == true && isUnderWay(ordinal, observed)
    }

    /// Whether nobody waits for a member to be ready.
    func isLeftAlone(_ ordinal: Int, _ observed: RolloutObservation) -> Bool {
        guard let member = observed.members[ordinal], !member.isReady else { return false }
        return isGivenUp || skipped.contains(ordinal) || member.standing == .halted
    }

    /// The other members that clients don't reach.
    func out(besides ordinal: Int, _ observed: RolloutObservation) -> [Int] {
        observed.members.filter { other, member in
            guard other != ordinal else { return false }
            // One with its successor beside it serves until its volumes move.
            if isSurging(other, observed) { return false }
            return observed.busy.contains(other) || !member.isAvailable
        }.keys.sorted()
    }

    /// Whether a member may be out: since it is anyway, or since there is room for one more.
    func mayBeOut(_ ordinal: Int, _ observed: RolloutObservation) -> Bool {
        guard observed.members[ordinal]?.isReady == true else { return true }
        return out(besides: ordinal, observed).count < plan.spec.maxUnavailable
    }

    /// Whether a member that serves may be replaced with the successor beside it.
    func maySurge(_ ordinal: Int, _ observed: RolloutObservation) -> Bool {
        guard let member = observed.members[ordinal], member.isAvailable else { return false }
        let others = progress.keys.filter { $0 != ordinal && isSurging($0, observed) }.count
        return others < plan.spec.maxSurge && out(besides: ordinal, observed).count <= plan.spec.maxUnavailable
    }

    /// How it ends, as its members are now.
    func outcome(_ observed: RolloutObservation) -> RolloutOutcome {
        let new = plan.ordinals.filter { isNew($0, observed) }
        let old = plan.ordinals.filter { !isNew($0, observed) }
        let isComplete = direction == .forward && old.isEmpty
        let isRestored = plan.members.allSatisfy { member in
            guard let found = observed.members[member.ordinal] else { return false }
            return found.version == member.stable && found.standing == .none
        }
        let back: RolloutOutcome.Kind = isAborted ? .aborted : .rolledBack
        let stopped: RolloutOutcome.Kind = direction == .back && isRestored ? back : .degraded
        return RolloutOutcome(isComplete ? .completed : stopped, new: new, old: old)
    }
}
