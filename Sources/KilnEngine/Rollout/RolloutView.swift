import KilnModel

/// What is true of a server's members, for a rollout: read anew before every decision.
struct RolloutView: Sendable {
    let engine: LabEngine
    let server: ServerID

    /// What is true now.
    ///
    /// - Parameters:
    ///   - busy: members that are being worked on, which nobody need ask.
    ///   - judgement: what the judge said.
    func observe(busy: Set<Int> = [], judgement: RolloutJudgement? = nil) async throws -> RolloutObservation {
        let plan = try ServerFront(id: server, state: engine.state, parts: engine.parts).plan()
        let ids = engine.members(of: server)
        let members = try await withThrowingTaskGroup(of: (Int, RolloutObservation.Member?).self) { group in
            for id in ids {
                let isBusy = busy.contains(id.ordinal)
                group.addTask { (id.ordinal, try await member(id, plan, isBusy: isBusy)) }
            }
            return try await group.reduce(into: [Int: RolloutObservation.Member]()) { $0[$1.0] = $1.1 }
        }
        return RolloutObservation(now: RolloutClock.now, members: members, judgement: judgement, busy: busy)
    }

    private func member(_ id: MemberID, _ plan: FrontPlan?, isBusy: Bool) async throws -> RolloutObservation.Member? {
        let workspace = engine.workspace(id)
        let history = try workspace.history()
        guard let current = history.current else { return nil }
        let machine = id.machine(current)
        let record = try workspace.record(machine)
        let slot = plan?[id.ordinal]
        let counted = history.operations.map(\.replacement).filter { !$0.isInterrupted }
        return RolloutObservation.Member(
            isReady: isBusy ? false : await workspace.isReadyNow(machine),
            generation: current,
            highest: counted.map(\.intent.to).max(),
            version: record.version,
            standing: history.open != nil ? .open : history.halted != nil ? .halted : .none,
            latest: counted.last?.outcome,
            // One that serves datagrams or nobody has no place in a front.
            isIn: record.spec.heldPorts.isEmpty
                ? nil : slot?.standing == .serving && slot?.generation == current
        )
    }
}

extension Replacement {
    /// Whether it was taken back because whoever drove it ended, or was interrupted: nothing is known against what it was to bring,
    /// so it is begun once more.
    fileprivate var isInterrupted: Bool {
        guard outcome == .aborted || outcome == .reverted else { return false }
        return turn?.code == .replaceInterrupted || turn?.code == .interrupted
    }
}
