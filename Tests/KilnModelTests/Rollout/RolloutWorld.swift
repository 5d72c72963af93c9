import KilnModel
import Testing

/// A server's members as they really are, with whoever works on them.
///
/// It keeps the promises that a rollout makes by itself, from what is true and not from what the rollout believes.
struct RolloutWorld {
    /// Which promise was not kept.
    enum Promise: String { case room, readiness, once, soak, order, recovery, ending, judge }

    struct Violation: Error, CustomStringConvertible {
        let promise: Promise
        let description: String
    }

    /// What the image of the target is like.
    enum Target: CaseIterable { case good, alwaysReverts, sometimesReverts, halts, falls, refused }

    typealias Member = RolloutObservation.Member

    let plan: RolloutPlan
    let target: Target
    let hasFront: Bool
    /// The members as they were.
    let before: [Int: Member]
    private(set) var members: [Int: Member]
    var now = Duration.seconds(1000)

    /// Members that were taken out while they served.
    private var takenOut: Set<Int> = []
    /// Members that are replaced with the successor beside them.
    private var warm: Set<Int> = []
    private var serviceBegan: [Int: Duration] = [:]
    private(set) var soaked: Set<Int> = []
    /// Members that a person let pass.
    private(set) var passed: Set<Int> = []
    /// Members that the judge or a person found good.
    private(set) var approved: Set<Int> = []
    /// Replacements that were begun and not ended, and what they make.
    private var making: [Int: RolloutVersion] = [:]

    init(plan: RolloutPlan, target: Target, members: [Int: Member]) {
        self.plan = plan
        self.target = target
        self.members = members
        before = members
        hasFront = members.values.contains { $0.isIn != nil }
    }

    func isNew(_ ordinal: Int) -> Bool {
        guard let member = members[ordinal], let old = before[ordinal] else { return false }
        return member.version == plan.target && member.generation > old.generation
    }

    func check(_ promise: Promise, _ holds: Bool, _ problem: @autoclosure () -> String) throws {
        if !holds { throw Violation(promise: promise, description: "\(promise.rawValue): \(problem())") }
    }

    // MARK: What rollouts do

    mutating func takeOut(_ ordinal: Int) throws {
        guard let member = members[ordinal] else { return }
        if member.isAvailable {
            try checkRoom(ordinal)
            takenOut.insert(ordinal)
        }
        members[ordinal]?.isIn = false
        serviceBegan[ordinal] = nil
        try check(.room, takenOut.count <= plan.spec.maxUnavailable, "\(takenOut) are out")
    }

    mutating func putIn(_ ordinal: Int) throws {
        guard let member = members[ordinal] else { return }
        try check(.readiness, member.isReady && member.standing == .none, "\(ordinal) is put in: \(member)")
        members[ordinal]?.isIn = true
        takenOut.remove(ordinal)
    }

    mutating func beginReplacement(_ move: RolloutMove) throws {
        let ordinal = move.ordinal
        guard let member = members[ordinal] else { return }
        let isBack = move.kind == .rollBack
        try check(.once, isBack == isNew(ordinal), "\(move) of \(member)")
        try check(.recovery, member.standing == .none, "\(move) of \(member)")
        if member.isReady && !move.isWarm { try checkRoom(ordinal) }
        if member.isReady && !move.isWarm && !hasFront { takenOut.insert(ordinal) }
        if move.isWarm {
            warm.insert(ordinal)
            try check(.room, warm.count <= plan.spec.maxSurge, "\(warm) have a successor beside them")
        } else {
            members[ordinal]?.isReady = false
        }
        try check(.room, takenOut.count <= plan.spec.maxUnavailable, "\(takenOut) are out")
        members[ordinal]?.highest = member.highest.successor
        members[ordinal]?.standing = .open
        making[ordinal] = isBack ? before[ordinal]?.version : plan.target
        serviceBegan[ordinal] = nil
        soaked.remove(ordinal)
        approved.remove(ordinal)
    }

    mutating func endReplacement(_ ordinal: Int, _ outcome: Outcome) {
        guard var member = members[ordinal], member.standing == .open else { return }
        member.standing = outcome == .halted ? .halted : .none
        member.latest = outcome
        member.isReady = outcome != .halted
        if outcome == .committed, let version = making[ordinal] {
            member.generation = member.highest
            member.version = version
        }
        members[ordinal] = member
        making[ordinal] = nil
        warm.remove(ordinal)
        if !hasFront { takenOut.remove(ordinal) }
    }

    private func checkRoom(_ ordinal: Int) throws {
        let out = members.filter { other, member in
            other != ordinal && !warm.contains(other) && !member.isAvailable
        }.keys
        try check(.room, out.count < plan.spec.maxUnavailable, "\(ordinal) goes out, and \(out.sorted()) are")
    }

    // MARK: What is decided

    mutating func pass(_ ordinal: Int) {
        passed.insert(ordinal)
        if isNew(ordinal) { approved.insert(ordinal) }
    }

    mutating func approve() { approved.formUnion(plan.ordinals.filter(isNew)) }

    // MARK: What happens by itself

    mutating func fall(_ ordinal: Int) {
        guard members[ordinal]?.standing == RolloutObservation.Standing.none else { return }
        members[ordinal]?.isReady = false
        serviceBegan[ordinal] = nil
    }

    mutating func rise(_ ordinal: Int) {
        if members[ordinal]?.standing == RolloutObservation.Standing.none { members[ordinal]?.isReady = true }
    }

    /// A person takes back what had halted.
    mutating func repair(_ ordinal: Int) {
        guard members[ordinal]?.standing == .halted else { return }
        members[ordinal]?.standing = .none
        members[ordinal]?.latest = .reverted
        members[ordinal]?.isReady = true
    }

    /// Somebody looks at it.
    mutating func look() {
        for (ordinal, member) in members where isNew(ordinal) {
            guard member.isAvailable else {
                serviceBegan[ordinal] = nil
                continue
            }
            let began = serviceBegan[ordinal] ?? now
            serviceBegan[ordinal] = began
            if now - began >= plan.spec.soak { soaked.insert(ordinal) }
        }
    }

    /// Nobody looked for a while.
    mutating func lookAway() { serviceBegan = [:] }

    // MARK: What has to hold at the end

    func checkEnd(_ outcome: RolloutOutcome) throws {
        for (ordinal, member) in members {
            let isOneOfTwo = member.version == plan.target || member.version == before[ordinal]?.version
            try check(.ending, isOneOfTwo && member.standing != .open, "\(ordinal) is neither old nor new: \(member)")
            try check(.ending, !member.isReady || member.isIn != false, "\(ordinal) is ready, and left out")
        }
        let new = plan.ordinals.filter(isNew)
        try check(
            .ending,
            outcome.new == new && outcome.new.count + outcome.old.count == plan.ordinals.count,
            "\(outcome)"
        )
        switch outcome.kind {
        case .completed:
            try check(.ending, new == plan.ordinals, "not all are new: \(members)")
            let early = Set(new).subtracting(soaked).subtracting(passed)
            try check(.soak, early.isEmpty, "\(early) were not looked at for \(plan.spec.soak)")
        case .rolledBack, .aborted:
            let changed = members.filter { $0.value.version != before[$0.key]?.version }
            try check(.ending, changed.isEmpty, "not what they were: \(changed)")
        case .degraded: break
        }
    }
}
