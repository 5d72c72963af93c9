import Foundation
import KilnModel
import KilnSystem

/// Drives one replacement along its state machine: writes each step's intent, performs it, writes that it is done.
struct ReplacementExecutor {
    let server: ServerWorkspace
    var replacement: Replacement
    /// Makes the new generation's record and seed; nothing in recovery, which never goes forward before PREPARE is done.
    let writer: GenerationWriter?
    var reservation: (any PortReservation)?
    var evidence: String?
    /// The ports on which a machine is asked that does not have the published ones yet.
    var probePorts: [Name: UInt16]?
    /// Why the old machine's drift could not be measured.
    var driftFailure: String?
    /// Whether this process saw the new machine ready but for its data.
    var isWarmed = false
    /// Whether the command that recovers is about to end or replace the new machine: then COMMIT does not need it.
    var isLeavingNew = false
    /// How often a machine was booted again in the step that is under way.
    var restarts = 0
    /// When the step that is under way began.
    private var stepBegan = ContinuousClock.now

    var id: MemberID { server.id }
    var new: MachineID { id.machine(replacement.intent.to) }
    var isWarm: Bool { replacement.isWarm }
    var old: MachineID? { replacement.intent.from.map { id.machine($0) } }

    init(server: ServerWorkspace, replacement: Replacement, writer: GenerationWriter?) {
        self.server = server
        self.writer = writer
        self.replacement = replacement
    }

    /// Goes on until the replacement has ended.
    ///
    /// - Throws: where it has to stay open (the hypervisor can't be reached, the clean-up of COMMIT failed).
    mutating func run() async throws -> ReplacementReport {
        defer { reservation?.release() }
        while replacement.outcome == nil {
            guard let step = replacement.next else {
                try write(.ended(replacement.outcomeAtEnd, reason: reason))
                break
            }
            do {
                try await take(step)
            } catch {
                do {
                    try turn(after: step, error)
                } catch {
                    if !replacement.entered.contains(.stop) { await switchOffWarm() }
                    throw error
                }
                if replacement.outcome == .halted, replacement.direction == .abort { await switchOffWarm() }
            }
        }
        return report
    }

    // Why it was taken back, with what the new machine wrote that nobody would find any more.
    private var reason: String? {
        let found = replacement.outcomeAtEnd == .reverted ? server.hiddenData(of: new) : nil
        let words = [replacement.turn?.reason, found].compactMap(\.self)
        return words.isEmpty ? remark : words.joined(separator: "; ")
    }

    // What a replacement that went well has to say all the same.
    private var remark: String? {
        guard replacement.outcomeAtEnd == .committed, let old else { return nil }
        return server.hiddenDataRemark(of: old, failure: driftFailure)
    }

    private mutating func take(_ step: Step) async throws {
        try await server.parts.moments.reached(step, .before, of: new)
        try write(.entered(step))
        server.parts.progress(.began(id, new.generation, step))
        stepBegan = .now
        restarts = 0
        try await performShielded(step)
        try await server.parts.moments.reached(step, .after, of: new)
        let milliseconds = millisecondsInStep
        try write(.completed(step, milliseconds: milliseconds, restarts: restarts > 0 ? restarts : nil))
        server.parts.progress(.finished(id, new.generation, step, milliseconds: milliseconds))
    }

    private var millisecondsInStep: Int { Int((ContinuousClock.now - stepBegan) / .milliseconds(1)) }

    // The way back and COMMIT must end even where the user has interrupted the command: an unstructured task does not
    // inherit the cancellation.
    private mutating func performShielded(_ step: Step) async throws {
        guard replacement.direction != .forward || step == .commit else {
            try Task.checkCancellation()
            return try await perform(step)
        }
        let copy = self
        self = try await Task {
            var executor = copy
            try await executor.perform(step)
            return executor
        }.value
    }

    private mutating func turn(after step: Step, _ error: any Error) throws {
        let known = KilnError.wrapping(error)
        guard var event = replacement.eventAfterFailure(of: step, error: known) else { throw leftOpen(by: known) }
        if case .turnedBack(var turn) = event {
            turn.milliseconds = millisecondsInStep
            event = .turnedBack(turn)
        }
        try write(event)
        if case .turnedBack(let turn) = event { server.parts.progress(.turnedBack(id, turn)) }
    }

    // Where the replacement ends or stays open before the handover, nobody has ended a warm machine yet; it has no volume.
    private func switchOffWarm() async {
        guard isWarm, !replacement.isHandedOver else { return }
        do {
            try await server.parts.machines.powerOff(new)
        } catch {
            server.parts.progress(.note("\(new) may still run: \(KilnError.wrapping(error).message)"))
        }
    }

    mutating func write(_ event: JournalEvent) throws {
        do {
            try server.journal.append(event)
        } catch {
            throw leftOpen(by: KilnError.wrapping(error))
        }
        replacement.apply(event)
    }

    // An error's own exit says what it means where nothing was touched yet. From STOP on, "unchanged" would be untrue, and
    // from the HANDOVER of a launch on, which has no STOP, "not done".
    private func leftOpen(by error: KilnError) -> KilnError {
        let isTouched = replacement.entered.contains(.stop) || replacement.entered.contains(.handover)
        guard isTouched, error.exit != .unreachable, error.exit != .interrupted else { return error }
        let number = replacement.intent.number
        return KilnError(
            .replaceOpen,
            "operation \(number) of \(id) stays open in \(replacement.entered.last?.rawValue ?? "plan"): \(error.message)",
            hint: "see to the cause, then let it be finished or taken back: 'kiln recover \(id)'",
            cause: error.cause,
            exit: .halted
        )
    }

    private var report: ReplacementReport {
        ReplacementReport(
            server: id,
            from: replacement.intent.from,
            to: replacement.intent.to,
            outcome: replacement.outcome ?? .halted,
            steps: replacement.completed,
            turn: replacement.turn,
            reason: replacement.reason,
            evidence: evidence,
            strategy: replacement.intent.strategy,
            discarded: discarded,
            launch: server.launchRecord(new)
        )
    }
}

extension KilnError {
    /// The error itself, a cancellation as an interruption, and anything else as an internal error.
    static func wrapping(_ error: any Error) -> KilnError {
        if let known = error as? KilnError { return known }
        if error is CancellationError {
            return KilnError(.interrupted, "the command was interrupted", exit: .interrupted)
        }
        return KilnError(
            .internalFault,
            "an unforeseen error",
            hint: "please report it",
            cause: String(describing: error)
        )
    }
}
