import KilnModel

/// A random life of a lab with an autopilot: machines that fall, people who meddle, a host that sleeps, a process that dies.
///
/// Then the faults stop, and every member has to serve, to be left alone or to be given up.
/// The same seed gives the same run.
struct AutopilotRun {
    /// A mistake that is planted, to see that it is found.
    enum Bug: CaseIterable { case actsOnStopped, forgetsPause, countsJump }

    /// What helps a member that is down.
    private enum Nature: CaseIterable { case start, replacement, nothing, damage }

    private static let beat = Duration.seconds(10)

    private let seed: UInt64
    private let bug: Bug?
    private var random: SeededChance
    private var world: AutopilotWorld
    private var state: AutopilotState
    private var events: [AutopilotEvent] = []
    /// How many of these were before the host's boot.
    private var past = 0
    private var natures: [MemberID: Nature] = [:]
    private var busy: [MemberID: (heal: AutopilotHeal, until: Duration)] = [:]
    private var isCalm = false
    /// How often the process died.
    private(set) var deaths = 0
    /// How often something was done, by what.
    private(set) var acts: [AutopilotAct: Int] = [:]
    /// How often somebody was given up.
    private(set) var givingUps = 0
    /// How often somebody was started whom the host's boot had left off.
    private(set) var firstStarts = 0

    init(seed: UInt64, plant bug: Bug? = nil) {
        self.seed = seed
        self.bug = bug
        random = SeededChance(seed: seed)
        world = AutopilotRun.world(&random)
        state = AutopilotRun.fresh(bug)
    }

    private static func fresh(_ bug: Bug?) -> AutopilotState {
        // Whose beat is that long takes no gap for one.
        AutopilotState(beat: bug == .countsJump ? .seconds(1_000_000) : beat, atOnce: 2)
    }

    private static func world(_ random: inout SeededChance) -> AutopilotWorld {
        var members: [MemberID: AutopilotWorld.Member] = [:]
        for lab in RolloutRun.labs(Int.random(in: 1...2, using: &random)) {
            let spec = HealSpec(
                after: .seconds([20, 30, 60].randomElement(using: &random) ?? 30),
                atMost: Int.random(in: 1...4, using: &random),
                per: .seconds([60, 120, 300].randomElement(using: &random) ?? 120)
            )
            for ordinal in 0..<Int.random(in: 1...4, using: &random) {
                members[lab.member(ordinal)] = AutopilotWorld.Member(heal: spec, readyTimeout: .seconds(60))
            }
        }
        return AutopilotWorld(members: members)
    }

    /// - Throws: `AutopilotWorld.Violation` with the seed and everything that happened.
    mutating func run() throws {
        do {
            for turn in 0..<620 {
                isCalm = turn >= 120
                try live()
                if isCalm, busy.isEmpty, isSettled { return }
            }
            try world.check(.ending, false, "\(world.unsettled) are still to be decided about: \(world.members)")
        } catch let violation as AutopilotWorld.Violation {
            let story = events.map { "\($0)" }.joined(separator: "\n")
            throw AutopilotWorld.Violation(
                promise: violation.promise,
                description: "seed \(seed), at \(world.now): \(violation)\n\(story)"
            )
        }
    }

    private var isSettled: Bool {
        world.unsettled.isEmpty && !world.members.values.contains { $0.isLocked || $0.hasRollout }
    }

    private mutating func chance(_ oneIn: Int) -> Bool { Int.random(in: 0..<oneIn, using: &random) == 0 }

    private mutating func live() throws {
        let isAsleep = !isCalm && chance(40)
        world.now += AutopilotRun.beat + (isAsleep ? .seconds(Int.random(in: 60...5000, using: &random)) : .zero)
        for id in world.members.keys.sorted() where busy[id] == nil { befall(id) }
        for id in busy.keys.sorted() { try finish(id) }
        if !isCalm && chance(60) { die() }
        if !isCalm && chance(100) { boot() }
        world.look(afterSleep: isAsleep, busy: Set(busy.keys))
        let observed = observation
        state.look(observed)
        for decision in state.next(observed) { try take(decision) }
    }

    private var observation: AutopilotObservation {
        var members = world.members
        if bug == .actsOnStopped { for id in members.keys { members[id]?.isWantedOn = true } }
        return AutopilotObservation(began: world.now, now: world.now, members: members, busy: Set(busy.keys))
    }

    // MARK: What the autopilot does

    private mutating func take(_ decision: AutopilotDecision) throws {
        switch decision {
        case .wait: break
        case .record(let event):
            if case .gaveUp(let what, _) = event {
                try world.giveUp(what)
                givingUps += 1
            } else {
                try world.serve(event.member)
            }
            write(event)
        case .act(let heal):
            try world.begin(heal)
            acts[heal.act, default: 0] += 1
            if heal.isFirstStart { firstStarts += 1 }
            write(.began(heal, at: world.now))
            busy[heal.member] = (heal, world.now + .seconds(Int.random(in: 5...90, using: &random)))
        }
    }

    private mutating func write(_ event: AutopilotEvent) {
        events.append(event)
        state.apply(event)
    }

    private mutating func finish(_ id: MemberID) throws {
        guard let (heal, until) = busy[id], until <= world.now else { return }
        busy[id] = nil
        let end = end(heal)
        world.end(heal, end)
        // Whoever forgets the pause takes it to have ended long ago.
        write(.ended(id, end, at: bug == .forgetsPause ? world.now - .seconds(3600) : world.now))
    }

    private mutating func end(_ heal: AutopilotHeal) -> AutopilotEnd {
        if chance(10) { return .left("another command was faster") }
        let id = heal.member
        let nature = natures[id] ?? .start
        switch heal.act {
        case .recover:
            world.members[id]?.isOpen = false
            return chance(2) ? serve(id) : fail(id)
        case .start, .restart: return nature == .start ? serve(id) : fail(id, isDamaged: nature == .damage)
        case .replace:
            world.members[id]?.generation = heal.generation.successor
            guard [.nothing, .damage].contains(nature) else { return serve(id) }
            if chance(4) { world.members[id]?.isHalted = true }
            return fail(id, isDamaged: nature == .damage || world.members[id]?.isHalted == true)
        case .renew:
            world.members[id]?.generation = heal.generation.successor
            world.members[id]?.isDue = false
            return serve(id)
        }
    }

    private mutating func serve(_ id: MemberID) -> AutopilotEnd {
        world.members[id]?.standing = .ready
        world.members[id]?.isBooting = false
        return .serves
    }

    private mutating func fail(_ id: MemberID, isDamaged: Bool = false) -> AutopilotEnd {
        let isGone = chance(2)
        world.members[id]?.standing = isGone ? .gone : .silent
        world.members[id]?.isBooting = true
        return .failed(AutopilotFailure(.readyTimeout, "it did not become ready", needsPerson: isDamaged))
    }

    /// The process is gone, and the next one reads the journal.
    private mutating func die() {
        deaths += 1
        for (id, work) in busy {
            if work.heal.act == .start || work.heal.act == .restart {
                // Its machine was started, and boots.
                world.members[id]?.standing = .silent
                world.members[id]?.isBooting = true
            } else {
                world.members[id]?.isOpen = true
            }
        }
        busy = [:]
        state = AutopilotRun.fresh(bug)
        for event in events.dropFirst(past) { state.apply(event) }
        state.takeOver()
    }

    private mutating func boot() {
        past = events.count
        die()
        world.boot()
    }

    // MARK: What happens by itself, and what people do

    private mutating func befall(_ id: MemberID) {
        guard var member = world.members[id] else { return }
        if member.isLocked { member.isLocked = !chance(3) }
        if member.hasRollout { member.hasRollout = !chance(3) }
        if member.standing == .silent, !member.isHalted, chance(12) {
            (member.standing, member.isBooting) = (.ready, false)
        }
        if !isCalm { disturb(&member, id) }
        world.members[id] = member
    }

    private mutating func disturb(_ member: inout AutopilotWorld.Member, _ id: MemberID) {
        if member.standing == .ready, chance(30) {
            member.standing = chance(2) ? .gone : .silent
            natures[id] = Nature.allCases.randomElement(using: &random)
        }
        if chance(60) { member.isLocked = true }
        if chance(120) { member.hasRollout = true }
        if chance(120) { member.isOpen = true }
        if chance(60) { member.isDue = true }
        guard chance(40) else { return }
        // A person: stops it, starts it again, or brings what halted in order.
        member.isWantedOn = !member.isWantedOn || member.isHalted
        member.standing = member.isWantedOn ? .ready : .gone
        if member.isWantedOn { (member.isHalted, member.isOpen, member.isBooting) = (false, false, false) }
    }
}

extension RolloutRun {
    /// So many servers of a lab.
    static func labs(_ count: Int) -> [ServerID] {
        (0..<count).compactMap { number in
            (try? Name("web\(number)")).map { ServerID(lab: server.lab, server: $0) }
        }
    }
}
