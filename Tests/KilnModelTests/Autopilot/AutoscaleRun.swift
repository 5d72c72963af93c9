import KilnModel

/// A random life of a server whose load comes and goes: members that fall, people who meddle, a host that sleeps or lacks memory, a
/// front and a process that die.
///
/// Then its load stays as it is, and it has to come to the number of members that follows from that.
/// The same seed gives the same run.
struct AutoscaleRun {
    /// A mistake that is planted, to see that it is found.
    enum Bug: CaseIterable { case ignoresCooldown, ignoresFailures, ignoresReadiness, countsGap }

    private static let beat = Duration.seconds(5)
    private static let server = RolloutRun.server

    private let seed: UInt64
    private let bug: Bug?
    private var random: SeededChance
    private var world: AutoscaleWorld
    private var state: AutoscaleState
    private var events: [AutopilotEvent] = []
    private var busy: (move: AutoscaleMove, until: Duration)?
    private var isCalm = false
    /// For how many turns nothing has been done.
    private var quiet = 0
    /// How often the process died.
    private(set) var deaths = 0
    /// How often members came, and how often one went.
    private(set) var moves = (out: 0, in: 0)
    /// How often was ended what a process that died had begun.
    private(set) var finished = 0

    init(seed: UInt64, plant bug: Bug? = nil) {
        self.seed = seed
        self.bug = bug
        random = SeededChance(seed: seed)
        let least = Int.random(in: 1...3, using: &random)
        let spec = AutoscaleSpec(
            min: least,
            max: least + Int.random(in: 1...6, using: &random),
            target: .requests(20),
            cooldown: .seconds([10, 30, 60].randomElement(using: &random) ?? 30)
        )
        world = AutoscaleWorld(spec, replicas: Int.random(in: spec.min...spec.max, using: &random))
        state = AutoscaleRun.fresh(bug)
    }

    private static func fresh(_ bug: Bug?) -> AutoscaleState {
        // Whose beat is that long takes no gap for one.
        AutoscaleState(beat: bug == .countsGap ? .seconds(1_000_000) : beat)
    }

    /// - Throws: `AutoscaleWorld.Violation` with the seed and everything that happened.
    mutating func run() throws {
        do {
            for turn in 0..<900 {
                isCalm = turn >= 200
                try live()
                if isCalm, quiet >= 80, world.isSettled { return }
            }
            try world.check(.ending, false, "\(world.replicas) members for \(world.requests) requests")
        } catch let violation as AutoscaleWorld.Violation {
            let story = events.map { "\($0)" }.joined(separator: "\n")
            throw AutoscaleWorld.Violation(
                promise: violation.promise,
                description: "seed \(seed), at \(world.now): \(violation)\n\(world)\n\(story)"
            )
        }
    }

    private mutating func chance(_ oneIn: Int) -> Bool { Int.random(in: 0..<oneIn, using: &random) == 0 }

    private mutating func live() throws {
        quiet += 1
        world.answered += 5 * world.requests
        world.now += AutoscaleRun.beat
        if !isCalm && chance(40) {
            world.now += .seconds(Int.random(in: 60...5000, using: &random))
            world.forget()
        }
        befall()
        finish()
        if !isCalm && chance(60) { die() }
        world.look(isBusy: busy != nil)
        let observed = observation
        state.look(observed)
        for decision in state.next(observed) { try take(decision) }
    }

    private var observation: AutoscaleObservation {
        let load = FrontLoad(process: world.process, answered: world.answered, waiting: 0)
        var server = AutoscaleObservation.Server(world.spec, replicas: world.replicas, load: load, at: world.now)
        server.serving = bug == .ignoresReadiness ? world.replicas : world.replicas - world.down
        server.isUnfinished = world.isUnfinished
        server.hasRollout = world.hasRollout
        server.isLocked = world.isLocked
        server.room = world.room
        if bug == .ignoresCooldown { server.spec.cooldown = .zero }
        return AutoscaleObservation(
            began: world.now,
            now: world.now,
            servers: [AutoscaleRun.server: server],
            busy: busy == nil ? [] : [AutoscaleRun.server]
        )
    }

    // MARK: What the autopilot does

    private mutating func take(_ decision: AutoscaleDecision) throws {
        switch decision {
        case .wait: return
        case .record(let event): write(event)
        case .act(let move):
            try world.begin(move)
            if move.to > move.from { moves.out += 1 } else { moves.in += 1 }
            write(.scaling(move, at: world.now))
            begin(move)
        case .finish(let move):
            try world.finish(move)
            finished += 1
            begin(move)
        }
        quiet = 0
    }

    private mutating func begin(_ move: AutoscaleMove) {
        busy = (move, world.now + .seconds(Int.random(in: 5...60, using: &random)))
    }

    private mutating func write(_ event: AutopilotEvent) {
        events.append(event)
        if bug == .ignoresFailures, case .scaled(let server, .failed, let at) = event {
            return state.apply(.scaled(server, .left("it is not told"), at: at))
        }
        state.apply(event)
    }

    private mutating func finish() {
        guard let (move, until) = busy, until <= world.now else { return }
        busy = nil
        var end = AutoscaleEnd.done
        if !isCalm, chance(10) { end = .failed(AutopilotFailure(.launchFailed, "it did not become ready")) }
        // What is half done is not left so.
        if !isCalm, !world.isUnfinished, chance(10) { end = .left("another command was faster") }
        world.end(move, end)
        write(.scaled(move.server, end, at: world.now))
    }

    /// The process is gone, and the next one reads the journal.
    private mutating func die() {
        deaths += 1
        if let move = busy?.move, !world.isUnfinished, chance(2) {
            world.replicas = move.to
            world.isUnfinished = true
            world.down = max(0, move.to - move.from)
        }
        busy = nil
        state = AutoscaleRun.fresh(bug)
        for event in events { state.apply(event) }
    }

    // MARK: What happens by itself, and what people do

    private mutating func befall() {
        if world.hasRollout { world.hasRollout = !chance(3) }
        if world.isLocked { world.isLocked = !chance(3) }
        if world.down > 0, !world.isUnfinished, chance(3) { world.down -= 1 }
        guard !isCalm else { return }
        if chance(20) { world.requests = Int.random(in: 0...200, using: &random) }
        if chance(60) { world.capacity = Int.random(in: 1...12, using: &random) }
        if chance(80) {
            world.process += 1
            world.answered = 0
            world.forget()
        }
        guard busy == nil, !world.isUnfinished else { return }
        if chance(60), world.down < world.replicas { world.down += 1 }
        if chance(100) { world.isLocked = true }
        if chance(150) { world.hasRollout = true }
        if chance(100) { scaleByHand() }
    }

    private mutating func scaleByHand() {
        let number = Int.random(in: world.spec.min...world.spec.max, using: &random)
        guard number != world.replicas else { return }
        (world.replicas, world.down) = (number, 0)
        world.forget()
    }
}
