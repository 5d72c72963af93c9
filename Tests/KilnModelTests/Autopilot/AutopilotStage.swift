import KilnModel

/// Members that are as a test says, and an autopilot that looks at them: for tests that go step by step.
struct AutopilotStage {
    var state = AutopilotState(beat: .seconds(2), atOnce: 2)
    var now = Duration.seconds(1000)
    var minute = 0
    var patience = Duration.seconds(20)
    var members: [MemberID: AutopilotObservation.Member] = [:]
    var busy: Set<MemberID> = []
    private(set) var events: [AutopilotEvent] = []

    /// Members of one server that serve.
    init(_ count: Int = 1, _ spec: HealSpec = HealSpec()) {
        for ordinal in 0..<count { members[Self.id(ordinal)] = AutopilotObservation.Member(heal: spec) }
    }

    static func id(_ ordinal: Int) -> MemberID { RolloutRun.server.member(ordinal) }

    subscript(ordinal: Int) -> AutopilotObservation.Member {
        get { members[Self.id(ordinal)] ?? AutopilotObservation.Member() }
        set { members[Self.id(ordinal)] = newValue }
    }

    /// Looks once, now.
    mutating func look(took: Duration = .zero) -> [AutopilotDecision] {
        let observed = AutopilotObservation(
            began: now - took,
            now: now,
            patience: patience,
            minute: minute,
            members: members,
            busy: busy
        )
        state.look(observed)
        return state.next(observed)
    }

    /// Looks at each beat for so many seconds; returns what is decided last.
    mutating func look(for seconds: Int) -> [AutopilotDecision] {
        for _ in 0..<seconds / 2 {
            _ = look()
            now += .seconds(2)
        }
        return look()
    }

    mutating func write(_ event: AutopilotEvent) {
        events.append(event)
        state.apply(event)
    }

    /// Has done what was decided, of which this came.
    mutating func act(_ decisions: [AutopilotDecision], _ end: AutopilotEnd, took seconds: Int = 5) {
        for case .act(let heal) in decisions {
            write(.began(heal, at: now))
            now += .seconds(seconds)
            write(.ended(heal.member, end, at: now))
        }
    }

    /// Writes down what was decided.
    mutating func record(_ decisions: [AutopilotDecision]) {
        for case .record(let event) in decisions { write(event) }
    }
}

extension [AutopilotDecision] {
    /// What is decided, in words: `start web`, `wait web`.
    var words: [String] {
        map { decision in
            let word =
                switch decision {
                case .act(let heal): heal.act.rawValue
                case .record(.gaveUp): "give-up"
                case .record: "record"
                case .wait: "wait"
                }
            return "\(word) \(decision.member.title)"
        }
    }
}
