extension RolloutState {
    /// The next step with one member; nothing where all is done.
    func step(with ordinal: Int, _ observed: RolloutObservation) -> RolloutStep? {
        guard let member = observed.members[ordinal] else { return nil }
        if observed.busy.contains(ordinal) { return .wait(.busy([ordinal])) }
        let isArrived = isArrived(ordinal, observed)
        if member.standing == .halted {
            return isArrived ? nil : .record(.failed(RolloutState.halted(ordinal)))
        }
        if !isArrived { return move(ordinal, member, observed) }
        return progress[ordinal].flatMap { settle(ordinal, member, $0, observed) }
    }

    /// The way to another machine.
    private func move(_ ordinal: Int, _ member: Observed, _ observed: RolloutObservation) -> RolloutStep {
        if maySurge(ordinal, observed) { return .move(replacement(ordinal, member, isWarm: true)) }
        if mayBeOut(ordinal, observed) {
            return member.isIn == true ? .takeOut(ordinal) : .move(replacement(ordinal, member, isWarm: false))
        }
        // Others fell since it was taken out: it is needed again.
        if member.isIn == false { return .putIn(ordinal) }
        return .wait(.unavailable(out(besides: ordinal, observed), until: nil))
    }

    private func replacement(_ ordinal: Int, _ member: Observed, isWarm: Bool) -> RolloutMove {
        RolloutMove(direction == .forward ? .replace : .rollBack, ordinal, after: member.highest, isWarm: isWarm)
    }

    /// The way from a machine that is what it should be to a member that serves.
    private func settle(
        _ ordinal: Int,
        _ member: Observed,
        _ progress: Progress,
        _ observed: RolloutObservation
    ) -> RolloutStep? {
        if isLeftAlone(ordinal, observed) { return nil }
        let soak = direction == .forward && isNew(ordinal, observed) ? plan.spec.soak : .zero
        guard member.isReady else { return unready(ordinal, progress, soak: soak, observed) }
        if member.isIn == false { return .putIn(ordinal) }
        guard soak > .zero else { return .record(.settled(ordinal)) }
        guard let began = progress.soakBegan, began <= observed.now else {
            return .record(.soaking(ordinal, at: observed.now))
        }
        return observed.now >= began + soak ? .record(.settled(ordinal)) : .soak(ordinal, until: began + soak)
    }

    private func unready(
        _ ordinal: Int,
        _ progress: Progress,
        soak: Duration,
        _ observed: RolloutObservation
    ) -> RolloutStep {
        let limit = progress.start + plan.spec.progressDeadline + soak
        guard observed.now >= limit else { return .wait(.notReady(ordinal, until: limit)) }
        let failure = RolloutFailure(
            .rolloutDeadline,
            "member \(ordinal): expected it to serve in time, found it not ready",
            ordinal: ordinal
        )
        return .record(.failed(failure))
    }

    /// What a move is to make the member from; nothing where it makes no machine.
    public func version(for move: RolloutMove) -> RolloutVersion? {
        switch move.kind {
        case .takeOut, .putIn: nil
        case .replace: plan.target
        case .rollBack: plan.member(move.ordinal)?.stable
        }
    }

    /// What a step that threw an error leads to, as an event to write.
    ///
    /// Nothing means that the rollout stays open as it is, and that the next question tells more.
    ///
    /// - Parameter observed: what is true after the error.
    public func eventAfterFailure(
        of step: RolloutStep,
        error: KilnError,
        observed: RolloutObservation
    ) -> RolloutEvent? {
        // Where the hypervisor can't be reached, no decision can be carried out.
        if error.exit == .unreachable || error.exit == .interrupted { return nil }
        switch step {
        case .judge: return .judged(RolloutJudgement(.error, reason: error.message))
        case .recover(let ordinal):
            return .failed(RolloutFailure(error.code, error.message, ordinal: ordinal, needsPerson: true))
        case .move(let move):
            if hasBegun(move, observed) { return nil }
            // The front's failures are no reason to distrust the target, nor is somebody else's lock.
            let needsPerson = version(for: move) == nil || error.exit == .blocked
            let failure = RolloutFailure(error.code, error.message, ordinal: move.ordinal, needsPerson: needsPerson)
            return .failed(failure)
        default: return nil
        }
    }

    private func hasBegun(_ move: RolloutMove, _ observed: RolloutObservation) -> Bool {
        guard let after = move.after, let member = observed.members[move.ordinal] else { return false }
        return member.standing == .open || member.highest > after
    }
}
