import KilnEngine
import KilnModel
import Synchronization

/// Fronts in memory, which keep what they are told.
public final class FakeFronts: FrontControl {
    private struct State {
        var plans: [ServerID: FrontPlan] = [:]
        var connections = 0
        var cuts = 0
        var pauses: [Duration] = []
        var knowsPauses = true
        var stranded = 0
        var refusal: @Sendable (FrontPlan) -> KilnError? = { _ in nil }
        var isMissing = false
        var answers: [FrontAnswer] = []
        var requests = 0.0
        var waiting = 0
    }

    private let faults: Faults
    private let state = Mutex(State())
    private let begin = ContinuousClock.now

    init(_ faults: Faults) { self.faults = faults }

    /// What a front was told last; nothing where it does not run.
    public func plan(_ server: ServerID) -> FrontPlan? { state.withLock { $0.plans[server] } }

    /// The port of the machine to which a client of a published port is sent; nothing where it waits, or finds nobody.
    public func target(of host: UInt16) -> UInt16? {
        state.withLock { state in
            for plan in state.plans.values {
                guard let port = plan.ports.first(where: { $0.host == host }) else { continue }
                return plan.slots.first { $0.standing == .serving }?.ports[port.name]
            }
            return nil
        }
    }

    /// Lets every slot that is not out have so many connections from now on.
    public func connect(_ count: Int) { state.withLock { $0.connections = count } }

    /// How often connections were cut that a slot had.
    public var cuts: Int { state.withLock { $0.cuts } }

    /// For how long requests were to wait, each time that was wanted.
    public var pauses: [Duration] { state.withLock { $0.pauses } }

    /// Makes all of them as an earlier Kiln started them.
    public func forgetPauses() { state.withLock { $0.knowsPauses = false } }

    /// Ends a front and whoever would start it again, behind the engine's back.
    public func kill(_ server: ServerID) { state.withLock { $0.plans[server] = nil } }

    /// Takes the program away.
    public func uninstall() { state.withLock { $0.isMissing = true } }

    /// Throws where the program was taken away.
    public func requireProgram() throws {
        guard state.withLock({ $0.isMissing }) else { return }
        throw KilnError(.frontNoProgram, "there is no program", exit: .aborted)
    }

    /// What can't be had, from now on.
    public func refuse(_ refusal: @escaping @Sendable (FrontPlan) -> KilnError?) {
        state.withLock { $0.refusal = refusal }
    }

    /// How often another process took over while nobody served, so that requests would have waited in vain.
    public var stranded: Int { state.withLock { $0.stranded } }

    /// Keeps the plan.
    public func apply(_ plan: FrontPlan, to server: ServerID) async throws {
        if let error = state.withLock({ $0.refusal })(plan) { throw error }
        try faults.call("applyFront") {
            state.withLock { state in
                let isServed = plan.slots.contains { $0.standing == .serving }
                if let before = state.plans[server], (before.ports, before.spec) != (plan.ports, plan.spec), !isServed {
                    state.stranded += 1
                }
                state.plans[server] = plan
            }
        }
    }

    /// There are none.
    public func awaitPredecessors(of server: ServerID, within limit: Duration) async throws {}

    /// As many connections as a test wants.
    public func traffic(of server: ServerID) async throws -> [FrontTraffic]? {
        state.withLock { state in
            guard let plan = state.plans[server] else { return nil }
            return plan.ports.flatMap { port in
                plan.slots.map { slot in
                    FrontTraffic(
                        port: port.name,
                        ordinal: slot.ordinal,
                        connections: slot.standing == .out ? 0 : state.connections,
                        total: state.connections
                    )
                }
            }
        }
    }

    /// Lets clients ask so many times a second from now on, and so many of them wait.
    public func ask(_ requests: Double, waiting: Int = 0) {
        state.withLock { ($0.requests, $0.waiting) = (requests, waiting) }
    }

    /// What a front that runs counts when clients have asked so since this clock began.
    public func load(of server: ServerID) async throws -> (load: FrontLoad, time: ContinuousClock.Instant)? {
        let now = ContinuousClock.now
        let time = begin.duration(to: now) / .seconds(1)
        return state.withLock { state in
            guard state.plans[server] != nil else { return nil }
            return (FrontLoad(process: 1, answered: Int(state.requests * time), waiting: state.waiting), now)
        }
    }

    /// What listeners hear, again and again.
    public func answer(_ answers: [FrontAnswer]) { state.withLock { $0.answers = answers } }

    /// Tells what a test wants to be heard.
    public func listen(to server: ServerID) async throws -> any FrontLog {
        struct Log: FrontLog {
            let all: [FrontAnswer]
            func answers(within limit: Duration) async throws -> [FrontAnswer] {
                if all.isEmpty { try await Task.sleep(for: .milliseconds(1)) }
                return all
            }
        }
        return Log(all: state.withLock { $0.answers })
    }

    /// Notes it.
    public func pause(_ server: ServerID, for time: Duration) async throws {
        guard state.withLock({ $0.knowsPauses }) else {
            throw KilnError(.frontFailed, "it knows of no pause", exit: .aborted)
        }
        try faults.call("pauseFront") { state.withLock { $0.pauses.append(time) } }
    }

    /// Counts.
    public func cut(_ ordinal: Int, of server: ServerID) async throws {
        state.withLock { state in
            if state.connections > 0 { state.cuts += 1 }
            state.connections = 0
        }
    }

    /// Forgets the plan.
    public func end(_ server: ServerID) async throws {
        try faults.call("endFront") { state.withLock { $0.plans[server] = nil } }
    }

    /// Forgets all other plans.
    public func endAbandoned(
        dryRun: Bool,
        besides servers: @escaping @Sendable () throws -> Set<ServerID>
    ) async throws -> [String] {
        let kept = try servers()
        return state.withLock { state in
            let others = state.plans.keys.filter { !kept.contains($0) }.sorted()
            if !dryRun { for server in others { state.plans[server] = nil } }
            return others.map { "the front of \($0)" }
        }
    }
}
