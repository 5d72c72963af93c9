/// A step that was done, and how long it took.
public struct CompletedStep: Sendable, Hashable, Codable {
    /// Which step.
    public let step: Step
    /// Its duration.
    public let milliseconds: Int
    /// How often a machine was booted again because its kernel crashed before init; nothing means never.
    public var restarts: Int?
}

/// The state of one replacement, as a pure function of its journal.
///
/// ```
/// stop-first: PLAN → PREPARE → DRAIN → STOP → PROVE-OFF → SNAPSHOT → HANDOVER → START → HEALTHY → VERIFY → COMMIT
/// warm-first: PLAN → PREPARE → START → WARM → DRAIN → STOP → PROVE-OFF → SNAPSHOT → HANDOVER → ATTACH → HEALTHY → VERIFY
///             → COMMIT
/// launch:     PLAN → PREPARE → SNAPSHOT → HANDOVER → START → HEALTHY → VERIFY → COMMIT
/// abort:      (START-OLD → OLD-HEALTHY →) REMOVE-NEW
/// revert:     STOP-NEW → PROVE-NEW-OFF → HAND-BACK → (RESTORE-DATA →) (START-OLD → OLD-HEALTHY →) REMOVE-NEW
/// halt:       STOP-NEW → PROVE-NEW-OFF
/// ```
/// A failure before HANDOVER aborts, one after it reverts, one in COMMIT is finished later, one on the way back halts.
public struct Replacement: Sendable, Hashable {
    /// What it is about.
    public private(set) var intent: Intent
    /// Which way it is going.
    public private(set) var direction = Direction.forward
    /// Steps that were entered, in order.
    public private(set) var entered: [Step] = []
    /// Steps that were completed, in order.
    public private(set) var completed: [CompletedStep] = []
    /// Why it turned back, if it did.
    public private(set) var turn: TurnBack?
    /// How it ended; nothing while it is open.
    public private(set) var outcome: Outcome?
    /// What was said at the end.
    public private(set) var reason: String?

    /// Whether the one before it halted, so that nothing is known of the old machine.
    public let isAfterHalt: Bool

    /// Whether a command other than the one that began it went on with it after its handover.
    public private(set) var isResumed = false

    /// A replacement that has just begun.
    ///
    /// - Parameter isAfterHalt: whether the one before it halted, so that nothing is known of the old machine.
    public init(_ intent: Intent, isAfterHalt: Bool = false) {
        self.intent = intent
        self.isAfterHalt = isAfterHalt
    }

    /// Takes in the next event of the journal; events of other kinds of operations are ignored.
    public mutating func apply(_ event: JournalEvent) {
        switch event {
        case .began, .power: break
        case .entered(let step): entered.append(step)
        case .completed(let step, let milliseconds, let restarts):
            completed.append(CompletedStep(step: step, milliseconds: milliseconds, restarts: restarts))
        case .turnedBack(let turn):
            self.turn = turn
            direction = turn.direction
        case .resumed: resume()
        case .decided(let data):
            intent.dataOnRevert = data
            // The old machine may run already, on what it is not to go on with.
            completed.removeAll { [.startOld, .oldHealthy].contains($0.step) }
        case .ended(let outcome, let reason):
            self.outcome = outcome
            self.reason = reason
        }
    }

    private mutating func resume() {
        isResumed = true
        if outcome == .halted {
            outcome = nil
            direction = isHandedOver ? .revert : .abort
            // Once the leases are back, it is the old machine that holds the volumes: that proves nothing of the new one.
            let isHandedBack = completed.contains { $0.step == .handBack }
            let kept: Set<Step> = isHandedBack ? [.proveNewOff, .handBack] : []
            completed.removeAll { Step.wayBack.subtracting(kept).contains($0.step) }
        } else {
            completed.removeAll { [.start, .attach, .healthy, .verify].contains($0.step) }
        }
    }

    /// Whether the new machine boots while the old one serves.
    public var isWarm: Bool { intent.strategy == .warmFirst && intent.from != nil }

    /// Whether the volumes may belong to the new generation already.
    public var isHandedOver: Bool { entered.contains(.handover) }

    /// Whether the old machine may not be what it was when it served.
    private var isOldTouched: Bool {
        intent.from != nil && (isAfterHalt || entered.contains(.stop) || entered.contains(.drain))
    }

    /// Whether it halted because the old machine could not be brought back, which a roll forward does not need.
    public var lacksOnlyOld: Bool {
        outcome == .halted && entered.last.map { [.startOld, .oldHealthy].contains($0) } == true
    }

    /// All steps of the present direction, in order.
    public var sequence: [Step] {
        let oldAgain: [Step] = isOldTouched ? [.startOld, .oldHealthy] : []
        switch direction {
        case .forward: return forward
        case .abort: return oldAgain + [.removeNew]
        case .revert: return [.stopNew, .proveNewOff, .handBack] + dataAgain + oldAgain + [.removeNew]
        case .halt: return [.stopNew, .proveNewOff]
        }
    }

    private var forward: [Step] {
        if intent.from == nil {
            // The journal of a launch that an earlier version began has none.
            let seal: [Step] = entered.contains(.snapshot) || !entered.contains(.handover) ? [.snapshot] : []
            return [.plan, .prepare] + seal + [.handover, .start, .healthy, .verify, .commit]
        }
        let move: [Step] = [.drain, .stop, .proveOff, .snapshot, .handover]
        let end: [Step] = [.healthy, .verify, .commit]
        return switch intent.strategy {
        case .stopFirst: [.plan, .prepare] + move + [.start] + end
        case .warmFirst: [.plan, .prepare, .start, .warm] + move + [.attach] + end
        }
    }

    private var dataAgain: [Step] {
        intent.dataOnRevert == .restore && completed.contains { $0.step == .snapshot } ? [.restoreData] : []
    }

    /// The next step, or nothing when all of the present direction are done.
    public var next: Step? { sequence.first { step in !completed.contains { $0.step == step } } }

    /// How it ends when all steps of the present direction are done.
    public var outcomeAtEnd: Outcome {
        switch direction {
        case .forward: .committed
        case .abort: .aborted
        case .revert: .reverted
        case .halt: .halted
        }
    }

    /// What the failure of a step leads to, as an event to write; nothing means that the replacement stays open, to be
    /// taken up by the next command.
    public func eventAfterFailure(of step: Step, error: KilnError) -> JournalEvent? {
        // Where the hypervisor can't be reached, no decision can be carried out. COMMIT is past the point of no return.
        if error.exit == .unreachable || step == .commit { return nil }
        guard direction == .forward else {
            let way = direction == .halt ? "after '\(turn?.reason ?? "")'" : "on the way back"
            return .ended(.halted, reason: "\(step.rawValue) failed \(way): \(error.message)")
        }
        return .turnedBack(
            TurnBack(
                direction: directionAfter(error),
                step: step,
                code: error.code,
                reason: error.message,
                cause: error.cause,
                hint: error.hint
            )
        )
    }

    private func directionAfter(_ error: KilnError) -> Direction {
        guard isHandedOver else { return .abort }
        // Two writers are worse than none: a volume that something holds stays where it is. And an old machine that
        // goes on with damaged data makes more of the damage.
        let isDamaged = error.code == .verifyDataDamaged && intent.dataOnRevert == .keep
        return error.code == .volumeHeld || isDamaged ? .halt : .revert
    }

    /// What a command that finds this replacement interrupted writes before it goes on.
    ///
    /// - Parameter isNewRunning: whether the new machine runs, as read from the hypervisor after the interruption.
    public func eventOnRecovery(isNewRunning: Bool) -> JournalEvent? {
        guard outcome == nil, direction == .forward, !entered.contains(.commit) else { return nil }
        let interrupted = "the command that replaced was interrupted"
        guard isHandedOver else {
            return .turnedBack(
                TurnBack(direction: .abort, step: next ?? .plan, code: .replaceInterrupted, reason: interrupted)
            )
        }
        // A machine that is off is started once more; if it does not stay on, the old one serves again.
        if isResumed && !isNewRunning {
            return .turnedBack(
                TurnBack(
                    direction: .revert,
                    step: next ?? .start,
                    code: .replaceInterrupted,
                    reason: "\(interrupted), and the new machine did not stay on"
                )
            )
        }
        return .resumed
    }
}
