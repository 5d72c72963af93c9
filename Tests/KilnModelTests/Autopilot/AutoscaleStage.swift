import KilnModel

/// A server with a load that a test sets, and an autopilot that looks at it: for tests that go step by step.
struct AutoscaleStage {
    static let server = RolloutRun.server

    var state: AutoscaleState
    var now = Duration.seconds(1000)
    var server: AutoscaleObservation.Server
    /// How many requests all members together are sent each second.
    var requests: Int
    /// How many wait at each look.
    var waiting = 0
    var isBusy = false
    private var answered = 0

    init(_ replicas: Int, requests: Int = 0, _ spec: AutoscaleSpec = AutoscaleStage.spec, isOnlyLook: Bool = false) {
        state = AutoscaleState(beat: .seconds(2), isOnlyLook: isOnlyLook)
        server = AutoscaleObservation.Server(spec, replicas: replicas)
        self.requests = requests
    }

    /// 1 to 8 members, each of which is to answer 20 requests a second.
    static let spec = AutoscaleSpec(max: 8, target: .requests(20))

    /// Looks once, now.
    mutating func look(took: Duration = .zero) -> AutoscaleDecision? {
        server.load =
            server.load.map { FrontLoad(process: $0.process, answered: answered, waiting: waiting) }
            ?? FrontLoad(process: 1, answered: answered, waiting: waiting)
        return lookAsIs(took: took)
    }

    /// Looks once, at a front that tells what it told last, or nothing.
    mutating func lookAsIs(took: Duration = .zero) -> AutoscaleDecision? {
        server.loadTime = now
        let observed = AutoscaleObservation(
            began: now - took,
            now: now,
            servers: [AutoscaleStage.server: server],
            busy: isBusy ? [AutoscaleStage.server] : []
        )
        state.look(observed)
        return state.next(observed).first
    }

    /// Lets two seconds pass.
    mutating func pass() {
        now += .seconds(2)
        answered += 2 * requests
    }

    /// Looks at each beat for so many seconds; returns what is decided last.
    mutating func look(for seconds: Int) -> AutoscaleDecision? {
        for _ in 0..<seconds / 2 {
            _ = look()
            pass()
        }
        return look()
    }

    /// Has done what was decided.
    mutating func act(_ decision: AutoscaleDecision?, _ end: AutoscaleEnd = .done, took seconds: Int = 10) {
        guard case .act(let move)? = decision else { return }
        state.apply(.scaling(move, at: now))
        now += .seconds(seconds)
        state.apply(.scaled(move.server, end, at: now))
        if end == .done { (server.replicas, server.serving) = (move.to, move.to) }
    }
}

extension AutoscaleDecision {
    /// What is decided, in a word: `2 to 4`, `wait`.
    var word: String {
        switch self {
        case .act(let move): "\(move.from) to \(move.to)"
        case .finish(let move): "finish \(move.to)"
        case .record: "record"
        case .wait: "wait"
        }
    }
}
