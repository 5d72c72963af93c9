/// The state of one rollout, as a pure function of its journal.
///
/// ```
/// forward: (TAKE-OUT → REPLACE → PUT-IN → soak) of each canary → judge → pause
///          → (TAKE-OUT → REPLACE → PUT-IN → soak → judge) of each other member
/// back:    (TAKE-OUT → ROLL-BACK → PUT-IN) of each member that is new, the newest first
/// ```
/// The journal says what was intended and decided. What the members are, who is ready and who is in the front is never
/// taken from it: ``next(_:)`` is given that anew each time. So nothing is done twice after a death, and a member that
/// fell by itself counts as out.
public struct RolloutState: Sendable, Hashable {
    /// A replacement that was entered, and of which no end is written.
    struct Attempt: Sendable, Hashable {
        let kind: RolloutMove.Kind
        let after: Generation
        let isWarm: Bool
    }

    /// A member that was touched and has not settled.
    struct Progress: Sendable, Hashable {
        /// Since when its deadline runs.
        var start: Duration
        var attempt: Attempt?
        var soakBegan: Duration?
    }

    /// What it is about.
    public let plan: RolloutPlan
    /// Which way it is going.
    public private(set) var direction = RolloutDirection.forward
    /// Why nothing more is done for now.
    public private(set) var pause: RolloutPause?
    /// What made it turn back, where no person did.
    public private(set) var turn: RolloutFailure?
    /// What failed, and nothing was decided about yet.
    public private(set) var failure: RolloutFailure?
    /// Whether a person wants no further pauses and judgements.
    public private(set) var isFull = false
    /// Members that a person wants left as they are.
    public private(set) var skipped: Set<Int> = []
    /// How it ended; nothing while it is open.
    public private(set) var outcome: RolloutOutcome?

    /// Members whose replacement was committed, in that order.
    private(set) var committed: [Int] = []
    private(set) var judged: Set<Int> = []
    private(set) var progress: [Int: Progress] = [:]
    private(set) var waitingSince: Duration?
    private var isPastCanaries = false
    private(set) var isAborted = false
    /// Whether a person wants what could not be taken back to stay as it is.
    private(set) var isGivenUp = false

    /// Whether the canaries are still to be looked at.
    var isWithCanaries: Bool { !isPastCanaries && !plan.canaries.isEmpty }

    /// A rollout that has just begun.
    public init(_ plan: RolloutPlan) { self.plan = plan }

    /// Takes in the next event of the journal.
    public mutating func apply(_ event: RolloutEvent) {
        switch event {
        case .began, .completed: break
        case .entered(let move, let at): enter(move, at: at)
        case .replaced(let ordinal, let outcome): end(ordinal, outcome)
        case .failed(let failure): self.failure = failure
        case .soaking(let ordinal, let at): progress[ordinal]?.soakBegan = at
        case .soakBroken(let ordinal): progress[ordinal]?.soakBegan = nil
        case .settled(let ordinal): progress[ordinal] = nil
        case .judged(let judgement): judge(judgement)
        case .waiting(let at): waitingSince = at
        case .paused(let pause):
            self.pause = pause
            failure = nil
        case .continued:
            pause = nil
            isPastCanaries = true
        case .turnedBack(let failure, let at):
            turn = failure
            turnBack(at: at)
        case .ended(let outcome): self.outcome = outcome
        case .promoted, .retried, .aborted, .undone, .resumed: command(event)
        }
    }

    private mutating func enter(_ move: RolloutMove, at: Duration) {
        if move.kind != .putIn { waitingSince = nil }
        switch move.kind {
        case .putIn: break
        case .takeOut: progress[move.ordinal] = Progress(start: at)
        case .replace, .rollBack:
            let start = progress[move.ordinal]?.start ?? at
            let attempt = Attempt(kind: move.kind, after: move.after ?? Generation(0), isWarm: move.isWarm)
            progress[move.ordinal] = Progress(start: start, attempt: attempt)
        }
    }

    private mutating func end(_ ordinal: Int, _ outcome: Outcome) {
        guard let attempt = progress[ordinal]?.attempt else { return }
        progress[ordinal]?.attempt = nil
        if outcome == .committed {
            committed.removeAll { $0 == ordinal }
            judged.remove(ordinal)
            if attempt.kind == .replace { committed.append(ordinal) }
        } else if outcome == .halted {
            failure = RolloutState.halted(ordinal)
        } else if attempt.kind == (direction == .forward ? .replace : .rollBack) {
            failure = RolloutFailure(
                .rolloutReverted,
                "member \(ordinal): its replacement was \(outcome.rawValue)",
                ordinal: ordinal
            )
        }
    }

    static func halted(_ ordinal: Int) -> RolloutFailure {
        RolloutFailure(
            .replaceHalted,
            "member \(ordinal): its replacement is halted",
            ordinal: ordinal,
            needsPerson: true
        )
    }

    private mutating func judge(_ judgement: RolloutJudgement) {
        switch judgement.verdict {
        case .successful: judged = Set(committed)
        case .failed: failure = RolloutFailure(.rolloutJudged, "the new members are worse: \(judgement.reason)")
        case .inconclusive, .error:
            failure = RolloutFailure(
                .rolloutJudged,
                "the new members could not be judged: \(judgement.reason)",
                needsPerson: true
            )
        }
    }

    private mutating func command(_ event: RolloutEvent) {
        switch event {
        case .promoted(let isFull, let at):
            acceptPause()
            self.isFull = self.isFull || isFull
            goOn(at: at)
        case .retried(let at): goOn(at: at)
        case .aborted where direction == .back && pause != nil:
            isGivenUp = true
            pause = nil
        case .aborted(let at):
            isAborted = true
            turnBack(at: at)
        case .undone(let at):
            outcome = nil
            isAborted = false
            isGivenUp = false
            skipped = []
            turnBack(at: at)
        case .resumed(let at):
            restart(at: at)
            // Nobody saw whether they were ready meanwhile.
            for ordinal in progress.keys { progress[ordinal]?.soakBegan = nil }
        default: break
        }
    }

    /// A person takes what stopped the rollout for good enough.
    private mutating func acceptPause() {
        guard let pause else { return }
        guard let failure = pause.failure else {
            if !pause.isOfPerson { isPastCanaries = true }
            return
        }
        if let ordinal = failure.ordinal { skipped.insert(ordinal) }
        if failure.code == .rolloutJudged { judged = Set(committed) }
    }

    private mutating func goOn(at: Duration) {
        pause = nil
        restart(at: at)
    }

    private mutating func turnBack(at: Duration) {
        direction = .back
        failure = nil
        goOn(at: at)
    }

    private mutating func restart(at: Duration) {
        waitingSince = nil
        for ordinal in progress.keys { progress[ordinal]?.start = at }
    }
}
