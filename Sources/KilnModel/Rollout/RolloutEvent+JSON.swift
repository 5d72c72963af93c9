extension RolloutEvent: Codable {
    /// What an event is called in a journal.
    private enum Word: String, Codable {
        case began, entered, completed, replaced, failed, soaking, settled, judged, waiting, paused, continued
        case soakBroken = "soak-broken"
        case turnedBack = "turned-back"
        case promoted, retried, aborted, undone, resumed, ended
    }

    /// The fields of all events; each has some.
    private struct Fields: Codable {
        let event: Word
        var at: Duration?
        var failure: RolloutFailure?
        var full: Bool?
        var judgement: RolloutJudgement?
        var milliseconds: Int?
        var move: RolloutMove?
        var ordinal: Int?
        var outcome: RolloutOutcome?
        var pause: RolloutPause?
        var plan: RolloutPlan?
        var replacement: Outcome?

        enum CodingKeys: String, CodingKey {
            case event, at, failure, full, judgement, milliseconds, move, ordinal, outcome, pause, plan, replacement
        }
    }

    /// Encodes an object whose `event` says what it is.
    public func encode(to encoder: any Encoder) throws { try fields.encode(to: encoder) }

    private var fields: Fields {
        switch self {
        case .began(let plan): Fields(event: .began, plan: plan)
        case .entered(let move, let at): Fields(event: .entered, at: at, move: move)
        case .completed(let move, let time): Fields(event: .completed, milliseconds: time, move: move)
        case .replaced(let ordinal, let end): Fields(event: .replaced, ordinal: ordinal, replacement: end)
        case .failed(let failure): Fields(event: .failed, failure: failure)
        case .soaking(let ordinal, let at): Fields(event: .soaking, at: at, ordinal: ordinal)
        case .soakBroken(let ordinal): Fields(event: .soakBroken, ordinal: ordinal)
        case .settled(let ordinal): Fields(event: .settled, ordinal: ordinal)
        case .judged(let judgement): Fields(event: .judged, judgement: judgement)
        case .waiting(let at): Fields(event: .waiting, at: at)
        case .paused(let pause): Fields(event: .paused, pause: pause)
        case .continued: Fields(event: .continued)
        case .turnedBack(let failure, let at): Fields(event: .turnedBack, at: at, failure: failure)
        case .promoted(let isFull, let at): Fields(event: .promoted, at: at, full: isFull)
        case .retried(let at): Fields(event: .retried, at: at)
        case .aborted(let at): Fields(event: .aborted, at: at)
        case .undone(let at): Fields(event: .undone, at: at)
        case .resumed(let at): Fields(event: .resumed, at: at)
        case .ended(let outcome): Fields(event: .ended, outcome: outcome)
        }
    }

    /// Decodes an event; one that this version does not know is refused, for what it means can't be left out.
    public init(from decoder: any Decoder) throws {
        let fields = try Fields(from: decoder)
        func need<Value>(_ value: Value?, _ key: Fields.CodingKeys) throws -> Value {
            if let value { return value }
            let context = DecodingError.Context(
                codingPath: decoder.codingPath,
                debugDescription: "'\(fields.event.rawValue)' lacks '\(key.rawValue)'"
            )
            throw DecodingError.keyNotFound(key, context)
        }
        var at: Duration { get throws { try need(fields.at, .at) } }
        var ordinal: Int { get throws { try need(fields.ordinal, .ordinal) } }
        switch fields.event {
        case .began: self = .began(try need(fields.plan, .plan))
        case .entered: self = .entered(try need(fields.move, .move), at: try at)
        case .completed:
            self = .completed(try need(fields.move, .move), milliseconds: try need(fields.milliseconds, .milliseconds))
        case .replaced: self = .replaced(try ordinal, try need(fields.replacement, .replacement))
        case .failed: self = .failed(try need(fields.failure, .failure))
        case .soaking: self = .soaking(try ordinal, at: try at)
        case .soakBroken: self = .soakBroken(try ordinal)
        case .settled: self = .settled(try ordinal)
        case .judged: self = .judged(try need(fields.judgement, .judgement))
        case .waiting: self = .waiting(at: try at)
        case .paused: self = .paused(try need(fields.pause, .pause))
        case .continued: self = .continued
        case .turnedBack: self = .turnedBack(try need(fields.failure, .failure), at: try at)
        case .promoted: self = .promoted(isFull: try need(fields.full, .full), at: try at)
        case .retried: self = .retried(at: try at)
        case .aborted: self = .aborted(at: try at)
        case .undone: self = .undone(at: try at)
        case .resumed: self = .resumed(at: try at)
        case .ended: self = .ended(try need(fields.outcome, .outcome))
        }
    }
}
