import KilnModel
import Testing

/// Members that do what they are told at once, and a journal: for tests that go step by step.
struct RolloutStage {
    private(set) var events: [RolloutEvent] = []
    private(set) var history = RolloutHistory()
    var members: [Int: RolloutObservation.Member]
    var now = Duration.seconds(1000)
    var judgement: RolloutJudgement?
    var busy: Set<Int> = []
    /// How the next replacements of a member end; committed without it.
    var ends: [Int: Outcome] = [:]

    static let old = RolloutRun.version(1)
    static let target = RolloutRun.version(2)

    /// Members of the old version that serve.
    init(_ count: Int = 3, hasFront: Bool = true) {
        members = [:]
        for ordinal in 0..<count {
            members[ordinal] = RolloutObservation.Member(
                isReady: true,
                generation: Generation(1),
                version: RolloutStage.old,
                isIn: hasFront ? true : nil
            )
        }
    }

    /// The same with a rollout begun.
    static func begun(_ count: Int = 3, _ spec: RolloutSpec = RolloutSpec()) throws -> RolloutStage {
        var stage = RolloutStage(count)
        try stage.begin(spec)
        return stage
    }

    var observation: RolloutObservation {
        RolloutObservation(now: now, members: members, judgement: judgement, busy: busy)
    }

    var state: RolloutState { get throws { try #require(history.latest) } }
    var next: RolloutStep { get throws { try state.next(observation) } }

    mutating func begin(_ spec: RolloutSpec = RolloutSpec(), replacesAll: Bool = false) throws {
        let plan = try RolloutPlan(
            id: history.nextID,
            spec: spec,
            target: RolloutStage.target,
            of: RolloutRun.server,
            as: observation,
            replacesAll: replacesAll
        )
        write(try history.begin(plan, of: RolloutRun.server))
    }

    mutating func write(_ event: RolloutEvent) {
        events.append(event)
        history.apply(event)
    }

    /// The process dies, and the next one reads what it wrote.
    mutating func die() {
        history = RolloutHistory(events)
        busy = []
        write(.resumed(at: now))
    }

    mutating func give(_ command: RolloutCommand) throws {
        write(try #require(try history.event(for: command, of: RolloutRun.server, at: now)))
    }

    /// Takes steps until one has to be waited for, and tells which moves these were.
    @discardableResult mutating func go() throws -> [String] {
        var moves: [String] = []
        for _ in 0..<200 {
            switch try next {
            case .record(let event):
                write(event)
                if case .judged = event { judgement = nil }
            case .move(let move):
                moves.append("\(move.kind.rawValue) \(move.ordinal)")
                write(.entered(move, at: now))
                carryOut(move)
                write(.completed(move, milliseconds: 1))
            default: return moves
            }
        }
        Issue.record("it goes on for ever: \(moves)")
        return moves
    }

    /// Takes one step, which has to be a move, and says which one.
    mutating func enter() throws -> RolloutMove {
        guard case .move(let move) = try next else { throw KilnError("x", "no move: \(try next)") }
        write(.entered(move, at: now))
        return move
    }

    mutating func carryOut(_ move: RolloutMove) {
        let ordinal = move.ordinal
        guard var member = members[ordinal] else { return }
        switch move.kind {
        case .takeOut: member.isIn = false
        case .putIn: member.isIn = true
        case .replace, .rollBack:
            let end = ends[ordinal] ?? .committed
            member.highest = member.highest.successor
            member.latest = end
            member.isReady = end != .halted
            member.standing = end == .halted ? .halted : .none
            if end == .committed {
                member.generation = member.highest
                member.version = move.kind == .replace ? RolloutStage.target : RolloutStage.old
            }
        }
        members[ordinal] = member
    }
}
