import KilnModel
import Synchronization

/// What a process that is dead would say if it could: thrown by every fake after a simulated death.
public struct CrashError: Error {}

/// Counts the calls that the engine makes to the outside, and lets one of them fail or be the last.
///
/// A simulated death makes every later call throw ``CrashError`` and change nothing. What the engine still writes to its
/// state directory meanwhile is undone by ``FakeWorld/reviveAfterCrash()``.
public final class Faults: Sendable {
    /// How a call goes wrong; `after` means that it has its effect, which the engine does not learn.
    public enum Kind: String, Sendable, CaseIterable {
        /// The call fails without effect.
        case failBefore
        /// The call has its effect, then fails.
        case failAfter
        /// The hypervisor is gone before the call has an effect.
        case unreachableBefore
        /// The hypervisor is gone once the call has had its effect.
        case unreachableAfter
        /// The process dies just before the call.
        case crashBefore
        /// The process dies just after the call.
        case crashAfter
    }

    private struct State {
        var count = 0
        var armed: (kind: Kind, at: Int)?
        var byName: [String: KilnError] = [:]
        var hooks: [String: @Sendable () -> Void] = [:]
        var isCrashed = false
        var isProbing = false
        var fired: String?
        var onCall: @Sendable () -> Void = {}
        var onCrash: @Sendable () -> Void = {}
    }

    private let state = Mutex(State())

    /// A plan without faults.
    public init() {}

    /// Lets one call go wrong: the `call`-th from now, from 1.
    public func arm(_ kind: Kind, at call: Int) {
        state.withLock {
            $0.armed = (kind, call)
            $0.count = 0
            $0.fired = nil
        }
    }

    /// Forgets what was armed, and the death; returns which call went wrong, if any did.
    @discardableResult
    public func disarm() -> String? {
        state.withLock { state in
            state.armed = nil
            state.isCrashed = false
            state.isProbing = false
            defer { state.fired = nil }
            return state.fired
        }
    }

    /// Lets every call of this name fail; nothing lets them succeed again.
    public func fail(_ name: String, with error: KilnError?) { state.withLock { $0.byName[name] = error } }

    /// Does something before every call of this name.
    public func before(_ name: String, _ action: (@Sendable () -> Void)?) { state.withLock { $0.hooks[name] = action } }

    /// Does something before every counted call: what guests do meanwhile.
    public func onCall(_ action: @escaping @Sendable () -> Void) { state.withLock { $0.onCall = action } }

    /// Does something at the moment of death; it must not call a port.
    public func onCrash(_ action: @escaping @Sendable () -> Void) { state.withLock { $0.onCrash = action } }

    /// Whether the process counts as dead.
    public var isCrashed: Bool { state.withLock { $0.isCrashed } }

    /// While readiness is probed, calls of `state` come from a watcher beside the probes: they are not counted, so that
    /// the number of a call means the same in every run.
    func setProbing(_ isProbing: Bool) { state.withLock { $0.isProbing = isProbing } }

    /// Performs one call of a port, or lets it go wrong.
    func call<Result>(_ name: String, _ effect: () throws -> Result) throws -> Result {
        let turn = try next(name)
        turn.hook?()
        if let error = state.withLock({ $0.byName[name] }) { throw error }
        if turn.isCounted { turn.onCall() }
        if let kind = turn.kind { try goWrong(kind, isBefore: true, name) }
        let result = try effect()
        if let kind = turn.kind { try goWrong(kind, isBefore: false, name) }
        return result
    }

    /// Lets the process die now.
    public func die() { crash("killed") }

    /// A moment at which nothing can fail but the process can die.
    func moment(_ name: String) {
        guard let turn = try? next(name) else { return }
        turn.onCall()
        if turn.kind == .crashBefore || turn.kind == .crashAfter { crash(name) }
    }

    private struct Turn {
        let kind: Kind?
        let isCounted: Bool
        let hook: (@Sendable () -> Void)?
        let onCall: @Sendable () -> Void
    }

    private func next(_ name: String) throws -> Turn {
        try state.withLock { (state: inout State) throws -> Turn in
            if state.isCrashed { throw CrashError() }
            let isCounted = !(state.isProbing && name == "state")
            if isCounted { state.count += 1 }
            let armed = state.armed.flatMap { isCounted && $0.at == state.count ? $0.kind : nil }
            return Turn(kind: armed, isCounted: isCounted, hook: state.hooks[name], onCall: state.onCall)
        }
    }

    private func goWrong(_ kind: Kind, isBefore: Bool, _ name: String) throws {
        guard isBefore == [.failBefore, .unreachableBefore, .crashBefore].contains(kind) else { return }
        switch kind {
        case .failBefore, .failAfter:
            note("\(kind.rawValue) \(name)")
            throw KilnError("fake.failed", "the call \(name) was made to fail", exit: .aborted)
        case .unreachableBefore, .unreachableAfter:
            note("\(kind.rawValue) \(name)")
            throw KilnError(.hypervisorUnreachable, "gone during \(name)", exit: .unreachable)
        case .crashBefore, .crashAfter:
            crash(name)
            throw CrashError()
        }
    }

    private func note(_ text: String) { state.withLock { $0.fired = text } }

    // Whoever works beside it waits until the state is kept: what a call's failure made it write is not what a death leaves.
    private func crash(_ name: String) {
        state.withLock { state in
            guard !state.isCrashed else { return }
            state.onCrash()
            state.isCrashed = true
            state.fired = "\(state.armed?.kind.rawValue ?? "crash") \(name)"
        }
    }
}
