import KilnModel

/// A lab's members as they really are, and what was done to them.
///
/// It keeps the promises that an autopilot makes by itself, from what is true and not from what the autopilot believes.
struct AutopilotWorld {
    /// Which promise was not kept.
    enum Promise: String { case leaving, patience, pause, order, limit, row, meltdown, givingUp, ending }

    struct Violation: Error, CustomStringConvertible {
        let promise: Promise
        let description: String
    }

    typealias Member = AutopilotObservation.Member

    /// Something that was done to a member.
    private struct Deed {
        let act: AutopilotAct
        /// Whether it was the first start since the host's boot, by which nobody had fallen.
        let isFirst: Bool
        let began: Duration
        var ended: Duration
        /// Whether it was ready after that.
        var helped = false
        /// Whether whoever did it lived to see what came of it.
        var isSeen = false
    }

    /// Since when somebody who looks on has seen a member so.
    private struct Sight {
        let trouble: AutopilotCause
        let generation: Generation
        let since: Duration
    }

    var members: [MemberID: Member]
    var now = Duration.seconds(1000)
    private(set) var givenUp: Set<MemberID> = []
    private var deeds: [MemberID: [Deed]] = [:]
    private var sights: [MemberID: Sight] = [:]

    init(members: [MemberID: Member]) { self.members = members }

    func check(_ promise: Promise, _ holds: Bool, _ problem: @autoclosure () -> String) throws {
        if !holds { throw Violation(promise: promise, description: "\(promise.rawValue): \(problem())") }
    }

    /// Whether an autopilot has to leave a member alone.
    func isLeft(_ id: MemberID) -> Bool {
        guard let member = members[id] else { return true }
        return !member.isWantedOn || member.isHalted || member.isLocked || member.hasRollout || givenUp.contains(id)
    }

    /// What is wrong with a member that may be touched.
    func trouble(_ id: MemberID) -> AutopilotCause? {
        guard let member = members[id], !isLeft(id) else { return nil }
        if member.isOpen { return .interrupted }
        return switch member.standing {
        case .gone: .gone
        case .silent: .silent
        case .ready, .unknown: nil
        }
    }

    /// Whether a member is off by the host's boot, and nobody has seen yet what comes of its first start.
    private func isUnstarted(_ id: MemberID) -> Bool {
        let isNew = deeds[id, default: []].allSatisfy { $0.isFirst && !$0.isSeen }
        return isNew && trouble(id) == .gone && members[id]?.isBooting == true
    }

    /// Whether so many are down that nothing may be done.
    var isMeltdown: Bool {
        let down = members.keys.filter { trouble($0) != nil && !isUnstarted($0) }.count
        return down >= 5 && down * 5 > members.count
    }

    /// Somebody looks on, who knows whether the host slept since the last time.
    mutating func look(afterSleep: Bool, busy: Set<MemberID>) {
        if afterSleep { sights = [:] }
        for (id, member) in members {
            guard !busy.contains(id), let trouble = trouble(id) else {
                sights[id] = nil
                continue
            }
            if let sight = sights[id], sight.trouble == trouble, sight.generation == member.generation { continue }
            sights[id] = Sight(trouble: trouble, generation: member.generation, since: now)
        }
    }

    /// The host boots: all machines are off, and what was done to them was in another life.
    mutating func boot() {
        (deeds, sights, givenUp) = ([:], [:], [])
        for id in members.keys {
            members[id]?.standing = .gone
            members[id]?.isBooting = true
            members[id]?.isLocked = false
        }
    }

    // MARK: What the autopilot does

    mutating func begin(_ heal: AutopilotHeal) throws {
        let id = heal.member
        guard let member = members[id] else { return }
        if heal.act == .renew {
            return try check(.leaving, !isLeft(id) && member.standing == .ready && member.isDue, "\(heal) on \(member)")
        }
        try check(.leaving, trouble(id) != nil, "\(heal) on \(member)")
        try check(.meltdown, !isMeltdown, "\(heal) while \(members) are down")
        let own = deeds[id] ?? []
        // Who was begun with by a process that is gone may boot.
        let isNew = own.last.map { $0.helped || !$0.isSeen && heal.cause == .silent } ?? true
        if isNew { try checkPatience(heal, member) }
        let inVain = own.reversed().prefix { !$0.helped }.count
        if let last = own.last, inVain > 0 {
            let pause = Duration.seconds([10, 20, 40, 80, 160, 300][min(inVain - 1, 5)])
            try check(.pause, now - last.ended >= pause, "\(heal) \(now - last.ended) after \(last)")
        }
        try check(.row, inVain < member.heal.atMost, "\(heal) after \(own)")
        if heal.act == .replace { try check(.order, own.contains { $0.act != .recover }, "\(heal) after \(own)") }
        let used = deeds.filter { $0.key.whole == id.whole }.flatMap(\.value)
            .count(where: { !$0.isFirst && now - $0.began < member.heal.per })
        let isFirst = isUnstarted(id)
        try check(.limit, isFirst || used < member.heal.atMost, "\(heal) is number \(used + 1)")
        deeds[id] = own + [Deed(act: heal.act, isFirst: isFirst, began: now, ended: now)]
    }

    private func checkPatience(_ heal: AutopilotHeal, _ member: Member) throws {
        guard heal.cause != .gone else { return }
        let seen = sights[heal.member].map { now - $0.since } ?? .zero
        let isBooting = heal.cause == .silent && member.isBooting
        let needed = isBooting ? max(member.heal.after, member.readyTimeout) : member.heal.after
        try check(.patience, seen >= needed, "\(heal) after \(seen), not \(needed)")
    }

    mutating func end(_ heal: AutopilotHeal, _ end: AutopilotEnd) {
        guard heal.act != .renew, let last = deeds[heal.member]?.indices.last else { return }
        if case .left = end {
            deeds[heal.member]?.removeLast()
        } else {
            deeds[heal.member]?[last].ended = now
            deeds[heal.member]?[last].isSeen = true
            deeds[heal.member]?[last].helped = end == .serves
        }
    }

    mutating func giveUp(_ what: AutopilotGivingUp) throws {
        let (id, count) = (what.member, deeds[what.member]?.count ?? 0)
        let isEnough = count >= members[id]?.heal.atMost ?? 0 || what.failure?.needsPerson == true
        try check(.givingUp, !isLeft(id) && isEnough, "\(what) after \(count)")
        givenUp.insert(id)
    }

    /// The autopilot says that a member is ready again.
    mutating func serve(_ id: MemberID) throws {
        try check(.ending, members[id]?.standing == .ready, "\(id) is not ready")
        givenUp.remove(id)
        guard let last = deeds[id]?.indices.last else { return }
        deeds[id]?[last].helped = true
    }

    // MARK: What has to hold at the end

    /// The members of whom something would still have to be decided.
    var unsettled: [MemberID] { isMeltdown ? [] : members.keys.filter { trouble($0) != nil }.sorted() }
}
