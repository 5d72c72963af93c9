/// A strategy of replacement as the sweep needs to know it: its steps, and between which of them which machine is there.
///
/// To sweep another strategy, add it here, and to ``Strategy/all`` what `kiln` understands.
struct Strategy: Sendable {
    /// As in the lab file's field `strategy`.
    let name: String
    /// The steps forward, as in the journal.
    let steps: [String]
    /// The step that ends the old machine.
    let endsOld: String
    /// The step that starts the new machine.
    let startsNew: String
    /// The step that gives the new machine the volumes.
    let attaches: String
    /// The steps that are swept: all, or those at which it differs from a strategy that is swept in full.
    let swept: Set<String>
    /// More steps that are swept with a fault.
    let alsoSwept: [Fault: Set<String>]
    /// The ways back, each with the failure that leads to it.
    let waysBack: [WayBack]

    /// A way back, with the failure that leads to it.
    struct WayBack: Sendable {
        let name: String
        let failure: String
        let steps: [String]
    }

    static let stopFirst = Strategy(
        name: "stop-first",
        steps: [
            "plan", "prepare", "drain", "stop", "prove-off", "snapshot", "handover", "start", "healthy", "verify",
            "commit",
        ],
        endsOld: "stop",
        startsNew: "start",
        attaches: "start",
        swept: [
            "plan", "prepare", "drain", "stop", "prove-off", "snapshot", "handover", "start", "healthy", "verify",
            "commit",
        ],
        alsoSwept: [:],
        waysBack: [
            WayBack(name: "abort", failure: "snapshot.after", steps: ["start-old", "old-healthy", "remove-new"]),
            WayBack(
                name: "revert",
                failure: "healthy.before",
                steps: ["stop-new", "prove-new-off", "hand-back", "start-old", "old-healthy", "remove-new"]
            ),
        ]
    )

    static let warmFirst = Strategy(
        name: "warm-first",
        steps: [
            "plan", "prepare", "start", "warm", "drain", "stop", "prove-off", "snapshot", "handover", "attach",
            "healthy", "verify", "commit",
        ],
        endsOld: "stop",
        startsNew: "start",
        attaches: "attach",
        swept: ["start", "warm", "stop", "handover", "attach", "healthy"],
        // There the new machine is on all the time; in stop-first it isn't yet.
        alsoSwept: [.killNew: ["drain", "prove-off", "snapshot"]],
        waysBack: [
            WayBack(name: "abort", failure: "warm.after", steps: ["remove-new"]),
            WayBack(name: "late-abort", failure: "snapshot.after", steps: ["start-old", "old-healthy", "remove-new"]),
            WayBack(
                name: "revert",
                failure: "healthy.before",
                steps: ["stop-new", "prove-new-off", "hand-back", "start-old", "old-healthy", "remove-new"]
            ),
        ]
    )

    /// Those that are swept.
    static let all = [stopFirst, warmFirst]

    /// Every moment before and after a step forward.
    var points: [Point] {
        steps.flatMap { step in
            ["before", "after"].map { Point(strategy: self, way: nil, failure: nil, step: step, moment: $0) }
        }
    }

    /// Those at which a fault is tried.
    func points(for fault: Fault) -> [Point] {
        let tried = swept.union(alsoSwept[fault] ?? [])
        return points.filter { tried.contains($0.step) && fault.moments?.contains($0.name) != false }
    }

    /// Every moment before and after a step back.
    var pointsBack: [Point] {
        waysBack.flatMap { way in
            way.steps.flatMap { step in
                ["before", "after"].map {
                    Point(strategy: self, way: way.name, failure: way.failure, step: step, moment: $0)
                }
            }
        }
    }
}

/// A moment of a replacement.
struct Point: Sendable {
    let strategy: Strategy
    /// The way back that it lies on, and the failure that leads there.
    let way: String?
    let failure: String?
    let step: String
    let moment: String

    var name: String { (way.map { $0 + ":" } ?? "") + "\(step).\(moment)" }

    /// The value of `KILN_FAILPOINT` that makes kiln do something here.
    func failpoint(_ action: String) -> String {
        (failure.map { "\($0)=fail," } ?? "") + "\(step).\(moment)=\(action)"
    }

    /// Whether the old machine is there: its end may have been asked for, but not awaited.
    var isOldThere: Bool { isBeforeEnd(of: strategy.endsOld) }
    /// Whether the new machine is there.
    var isNewThere: Bool { !isBeforeEnd(of: strategy.startsNew) }
    /// Whether the volumes are the new machine's by then.
    var isHandedOver: Bool { !isBeforeEnd(of: "handover") }
    /// Whether a machine has the volume.
    var isVolumeHeld: Bool { isOldThere || !isBeforeEnd(of: strategy.attaches) }

    private func isBeforeEnd(of other: String) -> Bool {
        guard let own = strategy.steps.firstIndex(of: step), let end = strategy.steps.firstIndex(of: other) else {
            return false
        }
        return own < end || own == end && moment == "before"
    }
}
