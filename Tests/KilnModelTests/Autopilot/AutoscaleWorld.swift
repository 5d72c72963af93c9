import KilnModel

/// A server as it really is, with what its clients ask for, and how its members came and went.
///
/// It keeps the promises that an autopilot makes by itself, from what is true and not from what the autopilot believes.
struct AutoscaleWorld {
    /// Which promise was not kept.
    enum Promise: String { case readiness, cooldown, limits, window, lasting, ending }

    struct Violation: Error, CustomStringConvertible {
        let promise: Promise
        let description: String
    }

    /// What was true at a look while nothing disturbed the server.
    private struct Look {
        let time: Duration
        let answered: Int
    }

    let spec: AutoscaleSpec
    var now = Duration.seconds(1000)
    var replicas: Int
    /// How many members are not ready.
    var down = 0
    var isUnfinished = false
    var hasRollout = false
    var isLocked = false
    /// How many members the host has memory for.
    var capacity = 12
    /// How many requests there are each second.
    var requests = 20
    var answered = 0
    var process: Int32 = 1
    /// When members could not come or go, where they did not since then.
    private(set) var failed: Duration?
    private var looks: [Look] = []

    init(_ spec: AutoscaleSpec, replicas: Int) {
        self.spec = spec
        self.replicas = replicas
    }

    func check(_ promise: Promise, _ holds: Bool, _ problem: @autoclosure () -> String) throws {
        if !holds { throw Violation(promise: promise, description: "\(promise.rawValue): \(problem())") }
    }

    var room: Int { max(0, capacity - replicas) }
    var isDisturbed: Bool { hasRollout || isLocked }
    private var isSteady: Bool { !isDisturbed && !isUnfinished && down == 0 }

    /// What was measured before means nothing any more.
    mutating func forget() { looks = [] }

    /// Somebody looks on.
    mutating func look(isBusy: Bool) {
        guard isSteady, !isBusy else { return forget() }
        looks.append(Look(time: now, answered: answered))
    }

    /// How many members so many requests want.
    private func wanted(_ requests: Double) -> Int {
        let target = Double(spec.target.number)
        let each = requests / Double(replicas)
        let isNear = each >= target * 0.9 && each <= target * 1.1
        return spec.allowed(isNear ? replicas : Int((requests / target).rounded(.up)))
    }

    // MARK: What the autopilot does

    mutating func begin(_ move: AutoscaleMove) throws {
        try check(.readiness, isSteady, "\(move) with \(down) down")
        if let failed {
            try check(.cooldown, now - failed >= spec.cooldown, "\(move) \(now - failed) after one failed")
        }
        try check(.limits, move.from == replicas && move.to != replicas, "\(move) of \(replicas)")
        let seen = looks.first.map { now - $0.time } ?? .zero
        let window = move.figures.window
        try check(.window, window >= spec.window && window <= seen, "\(move) after \(seen)")
        if move.to > move.from {
            let most = min(spec.max, move.from * 2, move.from + room)
            try check(.limits, move.to <= most, "\(move), and at most \(most)")
        } else {
            try check(.limits, move.to == move.from - 1 && move.to >= spec.min, "\(move)")
            try check(.lasting, seen >= spec.calm, "\(move) after \(seen)")
            try checkLasting(move)
        }
    }

    // By each window within the last half of the cooldown fewer would have done.
    private func checkLasting(_ move: AutoscaleMove) throws {
        for (index, look) in looks.enumerated() where now - look.time <= spec.calm - spec.window {
            guard let first = looks[..<index].last(where: { look.time - $0.time >= spec.window }) else { continue }
            let rate = Double(look.answered - first.answered) / ((look.time - first.time) / .seconds(1))
            try check(.lasting, wanted(rate) < replicas, "\(move), and \(wanted(rate)) were wanted at \(look.time)")
        }
    }

    mutating func finish(_ move: AutoscaleMove) throws {
        try check(.readiness, isUnfinished && !isDisturbed, "\(move) is no longer to be ended")
    }

    mutating func end(_ move: AutoscaleMove, _ end: AutoscaleEnd) {
        switch end {
        case .left: return
        case .done: (replicas, failed) = (move.to, nil)
        case .failed:
            // Back to those who were there.
            if isUnfinished { replicas = move.from }
            failed = now
        }
        (isUnfinished, down) = (false, 0)
    }

    // MARK: What has to hold at the end

    /// Whether there are as many members as there should be, or as there can be.
    var isSettled: Bool {
        guard isSteady else { return false }
        let aim = wanted(Double(requests))
        return aim == replicas || aim > replicas && room == 0
    }
}
