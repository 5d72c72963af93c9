/// What a person wants of a rollout.
public enum RolloutCommand: Sendable, Hashable {
    /// It goes on, over what stopped it; `isFull` skips all further pauses and judgements.
    case promote(isFull: Bool)
    /// It stops once what was begun with a member has ended.
    case pause
    /// It is given up: what is new is taken back.
    case abort
    /// What failed is tried again.
    case retry
    /// All members go back to what they were, also after the end.
    case undo
    /// It is taken up after an interruption.
    case resume

    /// The word on the command line.
    public var word: String {
        switch self {
        case .promote: "promote"
        case .pause: "pause"
        case .abort: "abort"
        case .retry: "retry"
        case .undo: "undo"
        case .resume: "resume"
        }
    }
}

/// The rollouts of a server, as a pure function of their journal.
public struct RolloutHistory: Sendable, Hashable {
    /// All rollouts, oldest first.
    public private(set) var rollouts: [RolloutState] = []

    /// The history that these events tell.
    public init(_ events: some Sequence<RolloutEvent> = []) {
        for event in events { apply(event) }
    }

    /// The latest rollout.
    public var latest: RolloutState? { rollouts.last }
    /// The rollout that has begun and not ended, if any; there is at most one.
    public var open: RolloutState? { latest.flatMap { $0.outcome == nil ? $0 : nil } }
    /// The number of the next rollout.
    public var nextID: Int { (rollouts.map(\.plan.id).max() ?? 0) + 1 }

    /// Takes in the next event of the journal.
    public mutating func apply(_ event: RolloutEvent) {
        if case .began(let plan) = event { return rollouts.append(RolloutState(plan)) }
        guard let last = rollouts.indices.last else { return }
        rollouts[last].apply(event)
    }

    /// The event that begins a rollout.
    ///
    /// - Throws: an error where one is open.
    public func begin(_ plan: RolloutPlan, of server: ServerID) throws -> RolloutEvent {
        if let open {
            throw KilnError(
                .rolloutOpen,
                "\(server): expected no open rollout, found rollout \(open.plan.id)",
                hint: "let that one end first: 'kiln rollout status \(server)' says how it stands",
                exit: .blocked
            )
        }
        return .began(plan)
    }

    /// The event that a command of a person leads to; nothing where there is nothing to do.
    ///
    /// - Throws: an error where there is nothing that the command could be about.
    public func event(for command: RolloutCommand, of server: ServerID, at now: Duration) throws -> RolloutEvent? {
        guard let open else { return try eventAfterEnd(for: command, of: server, at: now) }
        let isPaused = open.pause != nil
        switch command {
        case .promote(let isFull) where open.direction == .forward && (isPaused || isFull):
            return .promoted(isFull: isFull, at: now)
        case .retry where open.pause?.failure != nil: return .retried(at: now)
        case .pause: return isPaused ? nil : .paused(RolloutPause(at: now, isOfPerson: true))
        case .abort: return open.direction == .back && !isPaused ? nil : .aborted(at: now)
        case .undo: return open.direction == .back && !isPaused ? nil : .undone(at: now)
        case .resume: return .resumed(at: now)
        case .promote, .retry:
            let state = open.direction == .back ? "goes back" : isPaused ? "waits to be promoted" : "is not stopped"
            throw nothing(for: command, server, found: "rollout \(open.plan.id), which \(state)")
        }
    }

    private func eventAfterEnd(
        for command: RolloutCommand,
        of server: ServerID,
        at now: Duration
    ) throws -> RolloutEvent? {
        switch command {
        case .undo:
            guard let outcome = latest?.outcome else { throw nothing(for: command, server, found: "none") }
            return outcome.new.isEmpty ? nil : .undone(at: now)
        case .promote, .pause, .abort, .retry, .resume: throw nothing(for: command, server, found: "none")
        }
    }

    private func nothing(for command: RolloutCommand, _ server: ServerID, found: String) -> KilnError {
        KilnError(
            .rolloutNone,
            "\(server): expected a rollout to \(command.word), found \(found)",
            hint: open == nil
                ? "'kiln rollout status \(server)' tells how the latest one ended; 'kiln replace \(server)' begins one"
                : "'kiln rollout status \(server)' tells how it stands, and what can be done",
            exit: .usage
        )
    }
}
