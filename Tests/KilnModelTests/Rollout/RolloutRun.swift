import KilnModel
import Testing

/// A random rollout: members that fail, a process that dies, a person who meddles.
///
/// Then the faults stop, and it has to end.
/// The same seed gives the same run.
struct RolloutRun {
    /// A mistake that is planted, to see that it is found.
    enum Bug: CaseIterable { case putInBeforeReady, uncountedTakeOut, replacedAgain, soakSkipped }

    private let seed: UInt64
    private let bug: Bug?
    private let isParallel: Bool
    private var random: SeededChance
    private var world: RolloutWorld
    private var history = RolloutHistory()
    private var events: [RolloutEvent] = []
    private var busy: Set<Int> = []
    private var judgement: RolloutJudgement?
    private var isCalm = false
    private var patience = 6
    /// How often the process died.
    private(set) var deaths = 0
    /// How it ended.
    private(set) var outcome: RolloutOutcome?

    init(seed: UInt64, plant bug: Bug? = nil) {
        self.seed = seed
        self.bug = bug
        random = SeededChance(seed: seed)
        isParallel = Int.random(in: 0..<4, using: &random) == 0
        world = RolloutRun.world(&random)
    }

    /// - Throws: `RolloutWorld.Violation` with the seed and everything that happened.
    mutating func run() throws {
        do {
            write(.began(believedPlan))
            for turn in 0..<1500 where outcome == nil {
                isCalm = turn >= 80
                try live()
            }
            try world.check(.ending, outcome != nil, "it does not end")
        } catch let violation as RolloutWorld.Violation {
            let story = events.map { "\($0)" }.joined(separator: "\n")
            let facts = "target \(world.target), parallel \(isParallel), \(world.members)"
            throw RolloutWorld.Violation(
                promise: violation.promise,
                description: "seed \(seed): \(violation)\n\(facts)\n\(story)"
            )
        }
    }

    private mutating func live() throws {
        nature()
        work()
        if chance(isCalm ? 0 : 25) { try command() }
        world.look()
        guard let state = history.latest else { return }
        let step = state.next(observation)
        if isDying(15) { return die() }
        try perform(step, state)
    }

    private mutating func chance(_ oneIn: Int) -> Bool { oneIn > 0 && Int.random(in: 0..<oneIn, using: &random) == 0 }
    private mutating func isDying(_ oneIn: Int) -> Bool { !isCalm && chance(oneIn) }

    private mutating func write(_ event: RolloutEvent) {
        events.append(event)
        history.apply(event)
    }

    // MARK: What the rollout believes

    /// The plan as the rollout has it, with the mistake where one is planted.
    private var believedPlan: RolloutPlan {
        var spec = world.plan.spec
        if bug == .soakSkipped { spec.soak = .zero }
        if bug == .uncountedTakeOut { spec.maxUnavailable += 1 }
        return RolloutPlan(id: 1, spec: spec, target: world.plan.target, members: world.plan.members)
    }

    private var observation: RolloutObservation {
        var members = world.members
        for (ordinal, member) in members where member.standing == .none && world.isNew(ordinal) {
            if bug == .putInBeforeReady && member.isIn == false { members[ordinal]?.isReady = true }
            if bug == .replacedAgain, deaths > 0, let old = world.before[ordinal] {
                members[ordinal]?.generation = old.generation
                members[ordinal]?.highest = old.highest
                members[ordinal]?.version = old.version
            }
        }
        return RolloutObservation(now: world.now, members: members, judgement: judgement, busy: busy)
    }

    // MARK: What is done

    private mutating func perform(_ step: RolloutStep, _ state: RolloutState) throws {
        switch step {
        case .record(let event):
            if case .judged(let judgement) = event {
                if judgement.verdict == .successful { world.approve() }
                self.judgement = nil
            }
            if case .continued = event { try checkPause() }
            if case .ended(let outcome) = event { try world.checkEnd(outcome) }
            write(event)
        case .recover(let ordinal): world.endReplacement(ordinal, end(ordinal))
        case .move(let move): try carryOut(move, state)
        case .judge: judgement = verdict()
        case .soak, .wait: pass()
        case .pause(_, let until): until == nil ? try decide() : pass()
        case .finished(let outcome): self.outcome = outcome
        }
    }

    /// A pause that lasts is over by its time only.
    private func checkPause() throws {
        guard let pause = history.latest?.pause, let lasts = pause.lasts else { return }
        try world.check(.order, world.now - pause.at >= lasts, "the pause is over after \(world.now - pause.at)")
    }

    private mutating func pass() { world.now += .seconds(Int.random(in: 1...20, using: &random)) }

    private mutating func carryOut(_ move: RolloutMove, _ state: RolloutState) throws {
        let open = world.members.filter { $0.value.standing == .open && !busy.contains($0.key) }
        try world.check(.recovery, open.isEmpty, "\(move) while \(open.keys) are open")
        if move.kind == .replace { try RolloutRun.checkOrder(move.ordinal, after: events, in: world) }
        write(.entered(move, at: world.now))
        if isDying(12) { return die() }
        switch move.kind {
        case .takeOut: try world.takeOut(move.ordinal)
        case .putIn: try world.putIn(move.ordinal)
        case .replace, .rollBack:
            guard try replace(move, state) else { return }
        }
        if isDying(12) { return die() }
        write(.completed(move, milliseconds: 1))
    }

    /// Whether the replacement was begun and ended.
    private mutating func replace(_ move: RolloutMove, _ state: RolloutState) throws -> Bool {
        if world.target == .refused && move.kind == .replace && chance(2) {
            let error = KilnError("x.refused", "it was refused", exit: .aborted)
            if let event = state.eventAfterFailure(of: .move(move), error: error, observed: observation) {
                write(event)
            }
            return false
        }
        try world.beginReplacement(move)
        if isParallel {
            busy.insert(move.ordinal)
            return false
        }
        if isDying(6) {
            die()
            return false
        }
        world.now += .seconds(Int.random(in: 5...90, using: &random))
        world.endReplacement(move.ordinal, end(move.ordinal))
        return true
    }

    private mutating func end(_ ordinal: Int) -> Outcome {
        // On the way back, and where faults have stopped, machines of the old image do what they did.
        if world.isNew(ordinal) { return isCalm || !chance(8) ? .committed : .reverted }
        switch world.target {
        case .good, .refused: return isCalm || !chance(20) ? .committed : .aborted
        case .falls: return .committed
        case .alwaysReverts: return .reverted
        case .sometimesReverts: return chance(3) ? .reverted : .committed
        case .halts: return chance(4) ? .halted : .committed
        }
    }

    private mutating func verdict() -> RolloutJudgement {
        let verdict = isCalm ? .successful : RolloutVerdict.allCases.randomElement(using: &random) ?? .successful
        return RolloutJudgement(verdict, reason: "at random")
    }

    /// The process is gone, and the next one reads the journal.
    private mutating func die() {
        deaths += 1
        busy = []
        judgement = nil
        world.now += .seconds(Int.random(in: 1...100, using: &random))
        world.lookAway()
        history = RolloutHistory(events)
        write(.resumed(at: world.now))
    }

    // MARK: What happens by itself

    private mutating func nature() {
        for ordinal in world.members.keys.sorted() {
            let isFalling = world.target == .falls && world.isNew(ordinal)
            // Not both at once: nobody could see that.
            if isFalling && chance(isCalm ? 10 : 5) || !isCalm && chance(40) {
                world.fall(ordinal)
            } else if chance(isFalling ? 30 : 6) {
                world.rise(ordinal)
            }
        }
    }

    private mutating func work() {
        for ordinal in busy.sorted() where chance(3) {
            world.endReplacement(ordinal, end(ordinal))
            busy.remove(ordinal)
        }
    }

    // MARK: What people do

    private mutating func command() throws {
        let all: [RolloutCommand] = [
            .promote(isFull: false), .promote(isFull: true), .retry, .abort, .undo, .resume, .promote(isFull: false),
        ]
        try give(all.randomElement(using: &random) ?? .resume)
    }

    /// It does not go on without a person, who loses patience in the end.
    private mutating func decide() throws {
        world.now += .seconds(60)
        for ordinal in world.members.keys.sorted() where isCalm || chance(2) { world.repair(ordinal) }
        patience -= 1
        let choices: [RolloutCommand] = [.promote(isFull: false), .retry, .promote(isFull: true)]
        try give(patience > 0 ? choices.randomElement(using: &random) ?? .abort : .abort)
    }

    private mutating func give(_ command: RolloutCommand) throws {
        guard let state = history.latest,
            let event = try? history.event(for: command, of: RolloutRun.server, at: world.now)
        else { return }
        if case .promoted = event, let failure = state.pause?.failure {
            if let ordinal = failure.ordinal { world.pass(ordinal) }
            if failure.code == .rolloutJudged { world.approve() }
        }
        write(event)
    }
}
