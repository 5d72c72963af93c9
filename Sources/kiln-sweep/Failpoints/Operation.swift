/// A change of a server as the sweep needs to know it: its steps, and between which of them which machine is there.
///
/// To sweep another one, add it here, and to ``Operation/all``.
struct Operation: Sendable {
    /// What kiln is told.
    enum Command: Sendable {
        /// `replace`, by a strategy as in the lab file.
        case replace(strategy: String)
        /// `up` after `down`: a first generation on a volume that holds data.
        case launch
        /// The same, of a server whose lab file says `launch: flash`; with a template that is there, or is made once it serves.
        case clone(hasTemplate: Bool)
        /// `volume snapshot` while the machine writes.
        case snapshot
    }

    /// When the server's old machine ends, or its new one comes.
    enum Time: Sendable {
        case before
        case at(String)
        case never
    }

    /// The first part of the names of its cells.
    let name: String
    let command: Command
    /// The steps forward, as in the journal.
    let steps: [String]
    /// The moments of a step.
    var moments = ["before", "after"]
    /// The step that ends the old machine.
    let endsOld: Time
    /// The step that starts the new machine.
    let startsNew: Time
    /// The step that gives the new machine the volumes.
    let attaches: Time
    /// The moments at which the guest's file systems are frozen.
    var frozen: Set<String> = []
    /// The steps that are swept: all, or those at which it differs from an operation that is swept in full.
    let swept: Set<String>
    /// More steps that are swept with a fault.
    var alsoSwept: [Fault: Set<String>] = [:]
    /// The faults that are tried.
    var faults = Set(Fault.allCases)
    /// Why the others are not; nothing where they do what they do to a replacement.
    var reasonOfFaults: String?
    /// The ways back, each with the failure that leads to it.
    var waysBack: [WayBack] = []

    /// A way back, with the failure that leads to it.
    struct WayBack: Sendable {
        let name: String
        let failure: String
        let steps: [String]
    }

    static let stopFirst = Operation(
        name: "stop-first",
        command: .replace(strategy: "stop-first"),
        steps: [
            "plan", "prepare", "drain", "stop", "prove-off", "snapshot", "handover", "start", "healthy", "verify",
            "commit",
        ],
        endsOld: .at("stop"),
        startsNew: .at("start"),
        attaches: .at("start"),
        swept: [
            "plan", "prepare", "drain", "stop", "prove-off", "snapshot", "handover", "start", "healthy", "verify",
            "commit",
        ],
        waysBack: [
            WayBack(name: "abort", failure: "snapshot.after", steps: ["start-old", "old-healthy", "remove-new"]),
            WayBack(
                name: "revert",
                failure: "healthy.before",
                steps: ["stop-new", "prove-new-off", "hand-back", "start-old", "old-healthy", "remove-new"]
            ),
        ]
    )

    static let warmFirst = Operation(
        name: "warm-first",
        command: .replace(strategy: "warm-first"),
        steps: [
            "plan", "prepare", "start", "warm", "drain", "stop", "prove-off", "snapshot", "handover", "attach",
            "healthy", "verify", "commit",
        ],
        endsOld: .at("stop"),
        startsNew: .at("start"),
        attaches: .at("attach"),
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

    static let launch = Operation(
        name: "launch",
        command: .launch,
        steps: ["plan", "prepare", "snapshot", "handover", "start", "healthy", "verify", "commit"],
        endsOld: .before,
        startsNew: .at("start"),
        attaches: .at("start"),
        swept: ["snapshot", "handover", "start", "commit"],
        alsoSwept: [
            .kill: ["plan", "prepare", "healthy", "verify"], .fail: ["plan", "prepare", "healthy", "verify"],
            .killNew: ["healthy"],
        ],
        faults: [.kill, .fail, .killNew, .secondKiln, .fullState, .fullVolume, .inputOutputErrorOfState, .killDaemon],
        reasonOfFaults:
            "its root overlay has no disk of its own, for 'down' removes the directory that it lies in; the volume "
            + "is no different from that of stop-first"
    )

    static let snapshot = Operation(
        name: "snapshot",
        command: .snapshot,
        steps: ["volume-switch"],
        moments: ["recorded", "frozen", "moved"],
        endsOld: .never,
        startsNew: .never,
        attaches: .never,
        frozen: ["frozen", "moved"],
        swept: ["volume-switch"],
        faults: [
            .kill, .fail, .killOld, .secondKiln, .fullState, .fullVolume, .inputOutputErrorOfState, .inputOutputError,
            .killDaemon,
        ]
    )

    /// Where a template is there, the machine of a launch is a clone.
    static let clone = Operation(
        name: "clone",
        command: .clone(hasTemplate: true),
        steps: ["clone"],
        moments: ["recorded", "copied", "made"],
        endsOld: .before,
        startsNew: .never,
        attaches: .never,
        swept: ["clone"],
        faults: [.kill, .secondKiln, .fullState, .killDaemon],
        reasonOfFaults: "a clone that fails boots instead, which 'make test' tries; the rest is a launch"
    )

    /// Where none is there, one is made once the server serves.
    static let template = Operation(
        name: "template",
        command: .clone(hasTemplate: false),
        steps: ["template"],
        moments: ["started", "saved"],
        endsOld: .before,
        startsNew: .never,
        attaches: .never,
        swept: ["template"],
        faults: [.kill, .killDaemon],
        reasonOfFaults: "the server serves by then, and no lock of it is held"
    )

    /// Those that are swept.
    static let all = [stopFirst, warmFirst, launch, snapshot, clone, template]

    /// Whether it makes a first generation.
    var isLaunch: Bool {
        switch command {
        case .launch, .clone: true
        case .replace, .snapshot: false
        }
    }

    /// Whether another generation is to take over.
    var isReplacement: Bool {
        if case .replace = command { true } else { false }
    }

    /// Every moment before and after a step forward.
    var points: [Point] {
        steps.flatMap { step in
            moments.map { Point(operation: self, way: nil, failure: nil, step: step, moment: $0) }
        }
    }

    /// Those at which a fault is tried.
    func points(for fault: Fault) -> [Point] {
        guard faults.contains(fault) else { return [] }
        let tried = swept.union(alsoSwept[fault] ?? [])
        return points.filter { tried.contains($0.step) && fault.moments?.contains($0.name) != false }
    }

    /// Every moment before and after a step back.
    var pointsBack: [Point] {
        waysBack.flatMap { way in
            way.steps.flatMap { step in
                moments.map {
                    Point(operation: self, way: way.name, failure: way.failure, step: step, moment: $0)
                }
            }
        }
    }
}

/// A moment of an operation.
struct Point: Sendable {
    let operation: Operation
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
    var isOldThere: Bool { isBeforeEnd(of: operation.endsOld) }
    /// Whether the new machine is there.
    var isNewThere: Bool { !isBeforeEnd(of: operation.startsNew) }
    /// Whether the volumes are the new machine's by then.
    var isHandedOver: Bool { !isBeforeEnd(of: .at("handover")) }
    /// Whether a machine has the volume.
    var isVolumeHeld: Bool { isOldThere || !isBeforeEnd(of: operation.attaches) }

    /// Whether the guest may write nothing.
    var isFrozen: Bool { operation.frozen.contains(moment) }

    private func isBeforeEnd(of time: Operation.Time) -> Bool {
        switch time {
        case .before: return false
        case .never: return true
        case .at(let other):
            let steps = operation.steps
            guard let own = steps.firstIndex(of: step), let end = steps.firstIndex(of: other) else { return false }
            return own < end || own == end && moment == "before"
        }
    }
}
