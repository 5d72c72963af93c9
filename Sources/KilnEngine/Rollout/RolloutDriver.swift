import KilnModel
import KilnSystem

/// Does what a rollout says, step by step, until it has ended or waits for a person.
///
/// The caller has the rollout's lock. Each decision is the state machine's; here it is only carried out.
struct RolloutDriver {
    let engine: LabEngine
    let files: RolloutFiles
    private(set) var history: RolloutHistory
    let target: RolloutFiles.Target
    private var busy: [Int: RolloutStep] = [:]
    private var isTicking = false
    private var isJudging = false
    private var judgement: RolloutJudgement?
    private var said = ""

    /// How long nothing is looked at where nothing happens.
    private static let beat = Duration.milliseconds(500)

    init(engine: LabEngine, files: RolloutFiles, history: RolloutHistory, target: RolloutFiles.Target) {
        self.engine = engine
        self.files = files
        self.history = history
        self.target = target
    }

    private var server: ServerID { files.server }
    private var view: RolloutView { RolloutView(engine: engine, server: server) }

    /// What ended that was begun.
    private enum End: Sendable {
        case beat
        case move(RolloutStep, Int, Result<RolloutEvent?, KilnError>)
        case judged(RolloutJudgement)
    }

    /// Does what a person wants of it.
    mutating func take(_ command: RolloutCommand) throws {
        guard let event = try history.event(for: command, of: server, at: RolloutClock.now) else { return }
        try record(event)
    }

    /// Goes on until it has ended, or waits for a person.
    mutating func run() async throws -> RolloutReport.Standing {
        var driver = self
        let standing = try await withThrowingTaskGroup(of: End.self) { group in
            while true {
                try Task.checkCancellation()
                guard let standing = try await driver.proceed(&group) else { continue }
                // What only looks on need not come to its end.
                group.cancelAll()
                return standing
            }
        }
        self = driver
        return standing
    }

    private mutating func proceed(
        _ group: inout ThrowingTaskGroup<End, any Error>
    ) async throws -> RolloutReport.Standing? {
        try takeWish()
        guard let state = history.latest else { return .ended }
        let observed = try await view.observe(busy: Set(busy.keys), judgement: judgement)
        let step = state.next(observed)
        switch step {
        case .record(let event): try record(event)
        case .recover(let ordinal): begin(step, ordinal, &group)
        case .move(let move):
            try record(.entered(move, at: RolloutClock.now))
            begin(step, move.ordinal, &group)
        case .judge(let new, let old): try await judge(new, old, &group)
        case .pause(_, until: nil) where busy.isEmpty:
            tell(state, step)
            return .paused
        case .finished where busy.isEmpty: return .ended
        case .soak, .wait, .pause, .finished:
            tell(state, step)
            try await rest(&group)
        }
        return nil
    }

    private mutating func record(_ event: RolloutEvent) throws {
        try files.append(event)
        history.apply(event)
        if case .judged = event { judgement = nil }
        if let line = event.line { engine.parts.progress(.note("\(server): \(line)")) }
        if case .entered(let move, _) = event { try Failpoint()?.hit("rollout.\(move.kind.rawValue)") }
    }

    // Of somebody who could not have the lock; what can't be done is said here.
    private mutating func takeWish() throws {
        guard let wish = try files.wish() else { return }
        do {
            try take(wish)
        } catch let error as KilnError {
            engine.parts.progress(.note(error.message))
        }
        try files.forgetWish()
    }

    private mutating func tell(_ state: RolloutState, _ step: RolloutStep) {
        let line = step.line(of: server, within: state.plan.spec.progressDeadline)
        guard let line, line != said else { return }
        said = line
        engine.parts.progress(.note("\(server): \(line)"))
    }

    // MARK: - Beside each other

    private mutating func begin(
        _ step: RolloutStep,
        _ ordinal: Int,
        _ group: inout ThrowingTaskGroup<End, any Error>
    ) {
        busy[ordinal] = step
        let mover = RolloutMover(engine: engine, server: server, target: target, plan: history.latest?.plan)
        group.addTask {
            do {
                return .move(step, ordinal, .success(try await mover.perform(step)))
            } catch let error as KilnError {
                return .move(step, ordinal, .failure(error))
            }
        }
    }

    // Until something ends, or time has passed.
    private mutating func rest(_ group: inout ThrowingTaskGroup<End, any Error>) async throws {
        if !isTicking {
            isTicking = true
            group.addTask {
                // Nothing tells of a machine that is no longer ready, nor of what other commands want.
                try await Task.sleep(for: RolloutDriver.beat)
                return .beat
            }
        }
        switch try await group.next() {
        case .beat?: isTicking = false
        case .judged(let judgement)?: (self.judgement, isJudging) = (judgement, false)
        case .move(let step, let ordinal, let result)?: try await end(step, ordinal, result)
        case nil: break
        }
    }

    private mutating func end(
        _ step: RolloutStep,
        _ ordinal: Int,
        _ result: Result<RolloutEvent?, KilnError>
    ) async throws {
        busy[ordinal] = nil
        switch result {
        case .success(let event?): try record(event)
        case .success(nil): break
        case .failure(let error):
            let observed = try await view.observe(busy: Set(busy.keys))
            guard let state = history.open else { return }
            guard let event = state.eventAfterFailure(of: step, error: error, observed: observed) else {
                // What can be told decides at the next look; where nothing can be reached, nobody can.
                if error.exit == .unreachable || error.exit == .interrupted { throw error }
                return
            }
            try record(event)
        }
    }

    private mutating func judge(
        _ new: [Int],
        _ old: [Int],
        _ group: inout ThrowingTaskGroup<End, any Error>
    ) async throws {
        guard let spec = history.latest?.plan.spec else { return }
        guard !isJudging else { return try await rest(&group) }
        isJudging = true
        engine.parts.progress(.note("\(server): comparing the answers of new members with those of old ones"))
        let judge = RolloutWatch(engine: engine, server: server, new: Set(new), old: Set(old), spec: spec)
        group.addTask { .judged(await judge.judgement()) }
        try await rest(&group)
    }
}
