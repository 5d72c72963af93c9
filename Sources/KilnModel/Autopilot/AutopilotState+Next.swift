/// What follows from what an autopilot did and what it sees.
extension AutopilotState {
    /// How many members have to fall within ``meltdownTime`` for a meltdown, besides more than a fifth of all.
    public static let meltdownMembers = 5
    /// The time in which they fall.
    public static let meltdownTime = Duration.seconds(600)

    /// How long it is left alone after so many heals in a row.
    public static func pause(after heals: Int) -> Duration {
        heals < 1 ? .zero : heals > 5 ? .seconds(300) : min(.seconds(300), .seconds(10 << (heals - 1)))
    }

    /// What is decided about all members that are not as they should be, or have become so; ``look(_:)`` comes before.
    public func next(_ observed: AutopilotObservation) -> [AutopilotDecision] {
        var decisions: [AutopilotDecision] = []
        for (id, member) in observed.members.sorted(by: { $0.key < $1.key }) where !observed.busy.contains(id) {
            let acts = decisions.compactMap { if case .act(let heal) = $0 { heal } else { nil } }
            if let decision = next(id, member, observed, acts) { decisions.append(decision) }
        }
        // One at a time, and only while all else is well.
        let isCalm = decisions.allSatisfy { if case .wait(_, .left) = $0 { true } else { false } }
        if isCalm, observed.busy.isEmpty, let heal = renewal(observed) { decisions.append(.act(heal)) }
        return decisions
    }

    private func next(
        _ id: MemberID,
        _ member: AutopilotObservation.Member,
        _ observed: AutopilotObservation,
        _ acts: [AutopilotHeal]
    ) -> AutopilotDecision? {
        if let left = member.isLeft { return member.standing == .ready ? nil : .wait(id, .left(left)) }
        guard let cause = member.trouble, let trouble = troubles[id] else {
            // A heal that is over is what it did, and one that failed what another did.
            let isDown = series[id].map { !$0.isServing } ?? false
            return isDown ? .record(.serves(id, at: observed.now)) : nil
        }
        let own = series(of: id, member, observed)
        if own?.isGivenUp == true { return .wait(id, .left(.givenUp)) }
        let lasted = max(.zero, observed.began - trouble.since)
        let needed = needed(cause, member, after: own)
        guard lasted >= needed else { return .wait(id, .lasting(cause, needed: needed)) }
        if let own, own.failure?.needsPerson == true || own.acts.count >= member.heal.atMost {
            let what = AutopilotGivingUp(id, acts: own.acts, lasted: observed.now - own.first, failure: own.failure)
            return .record(.gaveUp(what, at: observed.now))
        }
        if let wait = obstacle(id, member, own, observed, acts) { return .wait(id, wait) }
        return .act(
            AutopilotHeal(
                act(for: cause, member, after: own),
                id,
                cause: cause,
                generation: member.generation,
                lasted: lasted,
                attempt: (own?.acts.count ?? 0) + 1,
                used: isFirstStart(id, member) ? 0 : used(of: id, member, observed, acts) + 1,
                spec: member.heal
            )
        )
    }

    /// The heals of a member in a row; nothing where it has served for long enough since.
    private func series(
        of id: MemberID,
        _ member: AutopilotObservation.Member,
        _ observed: AutopilotObservation
    ) -> Series? {
        guard let own = series[id] else { return nil }
        return own.isServing && observed.now - own.latest >= member.heal.per ? nil : own
    }

    /// For how long it has to be seen so.
    private func needed(
        _ cause: AutopilotCause,
        _ member: AutopilotObservation.Member,
        after own: Series?
    ) -> Duration {
        // Whoever healed it in vain has waited for it already, and what an autopilot that is gone had begun is ended at once. Not
        // so a machine that such a one had started: it may still boot.
        let isWaitedFor = own?.failure != nil || cause == .interrupted && own?.isServing == false
        if cause == .gone || isWaitedFor { return .zero }
        let isJudgedEarly = cause == .silent && member.isBooting
        if isJudgedEarly { return max(member.heal.after, member.readyTimeout) }
        return isOnlyLook ? .zero : member.heal.after
    }

    private func obstacle(
        _ id: MemberID,
        _ member: AutopilotObservation.Member,
        _ own: Series?,
        _ observed: AutopilotObservation,
        _ acts: [AutopilotHeal]
    ) -> AutopilotWait? {
        let fallen = fallen(observed)
        if fallen >= AutopilotState.meltdownMembers, fallen * 5 > observed.members.count {
            return .meltdown(fallen: fallen, of: observed.members.count)
        }
        if let own {
            let pause = AutopilotState.pause(after: own.acts.count)
            if observed.now - own.latest < pause { return .backOff(after: own.acts.count, pause: pause) }
        }
        let used = used(of: id, member, observed, acts)
        if used >= member.heal.atMost, !isFirstStart(id, member) { return .limited(used: used, spec: member.heal) }
        return observed.busy.count + acts.count >= atOnce ? .crowded : nil
    }

    /// Whether a member is off as the host's boot leaves all of them: it was not ready since, and nothing was done to it.
    private func isFirstStart(_ id: MemberID, _ member: AutopilotObservation.Member) -> Bool {
        member.trouble == .gone && member.isBooting && series[id] == nil && heals[id, default: []].isEmpty
    }

    /// How many have fallen in the last minutes: those that are down and not given up, and those that were healed.
    private func fallen(_ observed: AutopilotObservation) -> Int {
        let healed = heals.filter { id, times in
            let isRecent = times.contains { observed.now - $0 < AutopilotState.meltdownTime }
            return isRecent && observed.members[id] != nil
        }
        let down = troubles.keys.filter { id in
            !isGivenUp(id) && !(observed.members[id].map { isFirstStart(id, $0) } ?? false)
        }
        let busy = observed.busy.filter { open[$0]?.isFirstStart != true }
        return Set(down).union(healed.keys).union(busy).count
    }

    /// How many heals its server has had within its `per`.
    private func used(
        of id: MemberID,
        _ member: AutopilotObservation.Member,
        _ observed: AutopilotObservation,
        _ acts: [AutopilotHeal]
    ) -> Int {
        let times = heals.filter { $0.key.whole == id.whole }.flatMap(\.value)
        return times.count(where: { observed.now - $0 < member.heal.per })
            + acts.count(where: { $0.member.whole == id.whole && !$0.isFirstStart })
    }

    private func act(
        for cause: AutopilotCause,
        _ member: AutopilotObservation.Member,
        after own: Series?
    ) -> AutopilotAct {
        if cause == .interrupted { return .recover }
        // A replacement would end it, and with it what its guest has not written yet.
        if member.isPaused { return .restart }
        let isTried = own?.acts.contains { $0 != .recover } ?? false
        return isTried ? .replace : cause == .gone ? .start : .restart
    }

    // MARK: - Those who are due

    // The highest ordinal of a server first, as in a rollout.
    private func renewal(_ observed: AutopilotObservation) -> AutopilotHeal? {
        let due = observed.members.filter { id, member in
            member.isDue && renewed[id] != member.generation && !isGivenUp(id)
                && member.heal.window?.holds(observed.minute) ?? true
                && observed.members.allSatisfy { other, it in
                    other.whole != id.whole || it.standing == .ready && it.isLeft == nil && it.trouble == nil
                }
        }
        let order = due.keys.sorted { ($0.whole, $1.ordinal) < ($1.whole, $0.ordinal) }
        guard let id = order.first, let member = due[id] else { return nil }
        return AutopilotHeal(
            .renew,
            id,
            cause: .old,
            generation: member.generation,
            attempt: 0,
            used: 0,
            spec: member.heal
        )
    }
}
