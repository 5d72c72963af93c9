/// What an autopilot knows of a lab: what it did, which its journal tells, and what it sees, which only looks tell.
///
/// ```
/// gone, at once:          START ──┐ not ready, or down again        ┌─ not ready, or down again ─┐
/// silent for 'after':     RESTART ┼──────── 10 s, 20 s … ──▶ REPLACE ┴──── 20 s, 40 s … 5 min ────┴──▶ GIVEN UP
/// interrupted for 'after': RECOVER┘                                        after 'at-most' heals in a row
/// ```
/// A member that is ready for `per` after a heal begins anew. One whose machine only stands still, as after a write error, goes on
/// by RESTART each time, and never loses its power: what its guest has not written yet is in its memory only.
///
/// All servers together: where 5 members and more than a fifth of all fall within 10 minutes, nothing is done, for then something
/// else is wrong. After the host's boot all are off, and none of them fell: the first start of each counts among its own heals in
/// a row, and nowhere else. These figures are those of BOSH's resurrector (`minimum_down_jobs`, `percent_threshold`,
/// `time_threshold`), and the pauses those of a kubelet.
public struct AutopilotState: Sendable, Hashable {
    /// Heals of a member in a row.
    struct Series: Sendable, Hashable {
        var acts: [AutopilotAct] = []
        /// When the first of them began.
        let first: Duration
        /// When the latest of them began or ended.
        var latest: Duration
        /// Whether the member was ready after that.
        var isServing = false
        var failure: AutopilotFailure?
        var isGivenUp = false
    }

    /// A member that is not as it should be.
    struct Trouble: Sendable, Hashable {
        let cause: AutopilotCause
        let generation: Generation
        /// When it was first seen so.
        let since: Duration
    }

    /// How long it is until the next look.
    public let beat: Duration
    /// How many members may be worked on at once.
    public let atOnce: Int
    /// Whether nobody looks again, so that what is seen is taken to last.
    public let isOnlyLook: Bool

    private(set) var series: [MemberID: Series] = [:]
    private(set) var troubles: [MemberID: Trouble] = [:]
    private(set) var open: [MemberID: AutopilotHeal] = [:]
    /// What was known of members before what is open began.
    private var before: [MemberID: Series] = [:]
    private(set) var heals: [MemberID: [Duration]] = [:]
    /// The generations that were to be replaced for their age already.
    private(set) var renewed: [MemberID: Generation] = [:]
    private var lastLook: Duration?

    /// The state of an autopilot that has done nothing yet.
    public init(beat: Duration, atOnce: Int, isOnlyLook: Bool = false) {
        self.beat = beat
        self.atOnce = atOnce
        self.isOnlyLook = isOnlyLook
    }

    /// Whether a member is given up.
    public func isGivenUp(_ member: MemberID) -> Bool { series[member]?.isGivenUp ?? false }

    // MARK: - What it did

    /// Takes in the next event of the journal.
    public mutating func apply(_ event: AutopilotEvent) {
        switch event {
        case .began(let heal, let at): begin(heal, at)
        case .ended(let member, let end, let at): self.end(member, end, at)
        case .gaveUp(let what, let at):
            // Also where nothing was tried in this life of the host.
            var own = series[what.member] ?? Series(first: at, latest: at)
            own.isGivenUp = true
            // It fell again, so no time in which it served ends that.
            own.isServing = false
            series[what.member] = own
        case .serves(let member, let at):
            // Another's doing, so that it begins anew.
            if isGivenUp(member) { return series[member] = nil }
            serve(member, at)
        // How many there are says nothing of any.
        case .scaling, .scaled: break
        }
    }

    /// Takes in that whoever wrote the journal so far is gone: a replacement for its age that it had begun says nothing against
    /// the member, so that is tried again.
    public mutating func takeOver() {
        for heal in open.values where heal.act == .renew { renewed[heal.member] = nil }
    }

    private mutating func begin(_ heal: AutopilotHeal, _ at: Duration) {
        open[heal.member] = heal
        guard heal.act != .renew else { return renewed[heal.member] = heal.generation }
        before[heal.member] = series[heal.member]
        var own = (heal.attempt > 1 ? series[heal.member] : nil) ?? Series(first: at, latest: at)
        own.acts.append(heal.act)
        own.latest = at
        own.isServing = false
        own.failure = nil
        series[heal.member] = own
        if heal.used > 0 { heals[heal.member, default: []].append(at) }
    }

    private mutating func end(_ member: MemberID, _ end: AutopilotEnd, _ at: Duration) {
        guard let heal = open.removeValue(forKey: member) else { return }
        switch end {
        case .left where heal.act == .renew: renewed[member] = nil
        case .left:
            series[member] = before[member]
            if heal.used > 0 { heals[member]?.removeLast() }
        case .serves where heal.act == .renew, .failed where heal.act == .renew: break
        case .serves: serve(member, at)
        case .failed(let failure):
            series[member]?.latest = at
            series[member]?.failure = failure
        }
    }

    private mutating func serve(_ member: MemberID, _ at: Duration) {
        series[member]?.latest = at
        series[member]?.isServing = true
        series[member]?.failure = nil
    }

    // MARK: - What it sees

    /// Takes in a look.
    ///
    /// After a gap between two looks that is much longer than the beat, or a look that took too long, the host slept or its
    /// clock was moved: nobody saw what was meanwhile, so whatever lasts begins anew.
    public mutating func look(_ observed: AutopilotObservation) {
        if isAfterGap(observed) { troubles = [:] }
        lastLook = observed.now
        for (id, member) in observed.members {
            guard !observed.busy.contains(id), member.isLeft == nil, let cause = member.trouble else {
                troubles[id] = nil
                continue
            }
            if let known = troubles[id], known.cause == cause, known.generation == member.generation { continue }
            troubles[id] = Trouble(cause: cause, generation: member.generation, since: observed.now)
        }
        for id in troubles.keys where observed.members[id] == nil { troubles[id] = nil }
    }

    /// How many beats a gap may have.
    static let beats = 5

    private func isAfterGap(_ observed: AutopilotObservation) -> Bool {
        AutopilotState.isGap(
            since: lastLook,
            began: observed.began,
            now: observed.now,
            beat: beat,
            patience: observed.patience
        )
    }

    /// Whether nobody saw what was between the last look and one that began and ended then.
    static func isGap(since last: Duration?, began: Duration, now: Duration, beat: Duration, patience: Duration) -> Bool
    {
        guard let last else { return false }
        let slack = beat * AutopilotState.beats
        return began < last || began - last > slack || now - began > patience + slack
    }
}
