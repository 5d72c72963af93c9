import Foundation
import KilnModel
import KilnSystem

/// Looks at a lab again and again and does what follows from that; each decision is ``AutopilotState``'s.
///
/// The caller has the lock of the lab's autopilot, unless it is to tell only.
struct AutopilotDriver {
    let view: AutopilotView
    let files: AutopilotFiles
    let options: AutopilotOptions
    private let lock: FileLock?
    let tell: @Sendable (AutopilotLine) -> Void
    private var state: AutopilotState
    var scale: AutoscaleState
    private var busy: Set<MemberID> = []
    /// The servers whose members are let come or go.
    var scaling: Set<ServerID> = []
    /// What was decided about members last, so that it is said once.
    private var said: [MemberID: AutopilotDecision] = [:]
    /// The same about servers.
    var saidOfServers: [ServerID: AutoscaleDecision] = [:]
    var report = AutopilotReport()
    private var isTicking = false
    private var hasLooked = false

    /// How long it is from one look to the next where nothing happens.
    private static let beat = Duration.seconds(2)
    /// How often a load is measured at most where nobody looks again, and this host was too busy to look in time.
    private static let mostMeasured = 5

    init(
        view: AutopilotView,
        files: AutopilotFiles,
        options: AutopilotOptions,
        lock: FileLock?,
        tell: @escaping @Sendable (AutopilotLine) -> Void
    ) throws {
        self.view = view
        self.files = files
        self.options = options
        self.lock = lock
        self.tell = tell
        state = AutopilotState(
            beat: AutopilotDriver.beat,
            atOnce: ProcessInfo.processInfo.activeProcessorCount,
            isOnlyLook: options.isOnce
        )
        scale = AutoscaleState(
            beat: AutopilotDriver.beat,
            isOnlyLook: options.isOnce,
            open: try files.movesBeforeBoot()
        )
        for event in try files.events() {
            state.apply(event)
            scale.apply(event)
        }
        state.takeOver()
    }

    /// What ended that was begun.
    enum End: Sendable {
        case beat
        case heal(AutopilotHeal, AutopilotEnd)
        case scaling(AutoscaleMove, AutoscaleEnd)
    }

    /// Goes on until it has done what it is for, or is cancelled.
    mutating func run() async throws -> AutopilotReport {
        var driver = self
        let report = try await withThrowingTaskGroup(of: End.self) { group in
            while try await driver.proceed(&group) { try Task.checkCancellation() }
            group.cancelAll()
            return driver.report
        }
        self = driver
        return report
    }

    /// Whether it goes on.
    private mutating func proceed(_ group: inout ThrowingTaskGroup<End, any Error>) async throws -> Bool {
        if !options.isOnce || !hasLooked {
            let seen = try await look()
            try Task.checkCancellation()
            try requireSameLab()
            hasLooked = true
            report.stuck = []
            try decide(seen.members, &group)
            try decide(leaving(seen.servers), &group)
            if let goal = options.until, isReached(goal, seen) || isStuck(goal.server) { return false }
        }
        if options.isOnce && busy.isEmpty && scaling.isEmpty { return false }
        try await rest(&group)
        return true
    }

    // What is known of a lab that was taken down says nothing of one that came after it, which may have an autopilot of its own.
    private func requireSameLab() throws {
        guard let lock, !lock.isStillNamed else { return }
        throw KilnError(
            .labMissing,
            "the lab \(view.lab) was taken down, and one of that name was brought up since",
            hint: "'kiln autopilot \(view.lab)' looks after that one",
            exit: .usage
        )
    }

    // Also who is to be healed by what was decided a moment ago.
    private func leaving(_ seen: AutoscaleObservation) -> AutoscaleObservation {
        var seen = seen
        for server in Set(busy.map(\.whole)) { seen.servers[server]?.isHealing = true }
        return seen
    }

    // Where nobody looks again, what a load is has to be measured here: it is what was answered between two looks.
    private mutating func look() async throws -> AutopilotView.Sight {
        var seen = try await view.observe(busy: busy, scaling: scaling)
        guard options.isOnce, !seen.servers.servers.isEmpty else { return seen }
        for _ in 0..<AutopilotDriver.mostMeasured {
            scale.look(seen.servers)
            // The time that is measured.
            try await Task.sleep(for: AutopilotDriver.beat)
            seen = try await view.observe(busy: busy, scaling: scaling)
            if !scale.isAfterGap(seen.servers) { break }
        }
        return seen
    }

    private mutating func decide(
        _ seen: AutopilotObservation,
        _ group: inout ThrowingTaskGroup<End, any Error>
    ) throws {
        state.look(seen)
        let decisions = state.next(seen)
        let decided = Set(decisions.map(\.member))
        said = said.filter { decided.contains($0.key) }
        for decision in decisions { try take(decision, &group) }
        report.stuck += decisions.filter(\.needsPerson).map(\.member)
    }

    private func isReached(_ goal: AutopilotGoal, _ seen: AutopilotView.Sight) -> Bool {
        guard busy.isEmpty && scaling.isEmpty else { return false }
        switch goal {
        case .ready(let server): return seen.areReady(server) { _, _ in true }
        case .renewed(let server, let before): return seen.areReady(server) { $1.generation != before[$0] }
        case .members(let server, let number):
            guard let found = seen.servers.servers[server] else { return false }
            return found.replicas == number && found.serving == number && !found.isUnfinished
        }
    }

    // Nothing more comes of it until a person has done something.
    private func isStuck(_ server: ServerID) -> Bool {
        busy.isEmpty && scaling.isEmpty && report.stuck.contains { $0.whole == server }
    }

    private mutating func take(
        _ decision: AutopilotDecision,
        _ group: inout ThrowingTaskGroup<End, any Error>
    ) throws {
        if !decision.isSame(as: said[decision.member]) { say(decision.line) }
        said[decision.member] = decision
        if options.isDryRun { return }
        switch decision {
        case .record(let event): try record(event)
        case .act(let heal):
            try record(.began(heal, at: AutopilotClock.now))
            busy.insert(heal.member)
            let mover = AutopilotMover(engine: view.engine)
            group.addTask { .heal(heal, try await mover.perform(heal)) }
        case .wait: break
        }
    }

    mutating func record(_ event: AutopilotEvent) throws {
        try files.append(event)
        state.apply(event)
        scale.apply(event)
    }

    func say(_ line: AutopilotLine) {
        var line = line
        line.isDryRun = options.isDryRun
        tell(line)
    }

    // Until something ends, or time has passed.
    private mutating func rest(_ group: inout ThrowingTaskGroup<End, any Error>) async throws {
        if !isTicking {
            isTicking = true
            group.addTask {
                // Nothing tells of a guest that is no longer ready.
                try await Task.sleep(for: AutopilotDriver.beat)
                return .beat
            }
        }
        switch try await group.next() {
        case .beat?: isTicking = false
        case .heal(let heal, let end)?:
            busy.remove(heal.member)
            said[heal.member] = nil
            let event = AutopilotEvent.ended(heal.member, end, at: AutopilotClock.now)
            try record(event)
            say(event.line)
            switch end {
            case .serves: report.done += 1
            case .failed: report.failed += 1
            case .left: break
            }
        case .scaling(let move, let end)?: try self.end(move, end)
        case nil: break
        }
    }
}

extension AutopilotDecision {
    /// Whether nothing more is done until a person has done something.
    fileprivate var needsPerson: Bool {
        switch self {
        case .record(.gaveUp), .wait(_, .meltdown), .wait(_, .left(.halted)), .wait(_, .left(.givenUp)): true
        default: false
        }
    }

    /// Whether it says the same, though its figures may have moved on.
    fileprivate func isSame(as other: AutopilotDecision?) -> Bool {
        switch (self, other) {
        case (.record, .record?): true
        case (.act(let heal), .act(let before)?):
            heal.act == before.act && heal.attempt == before.attempt && heal.generation == before.generation
        case (.wait(_, let wait), .wait(_, let before)?): wait == before
        default: false
        }
    }
}

extension AutopilotView.Sight {
    /// Whether all members of a server are ready, and are as they should be besides.
    fileprivate func areReady(
        _ server: ServerID,
        and holds: (MemberID, AutopilotObservation.Member) -> Bool
    ) -> Bool {
        let found = members.members.filter { $0.key.whole == server }
        return !found.isEmpty && found.allSatisfy { $1.standing == .ready && !$1.isOpen && holds($0, $1) }
    }
}
