import Foundation
import KilnModel

/// Waits until a machine is ready, or can't become it any more.
struct ReadinessWaiter {
    let parts: EngineParts
    let machine: MachineID
    let spec: ServerSpec
    let processors: Int
    let forwards: [Name: UInt16]
    let console: ConsoleLog
    /// The firmware that starts the disk; nothing where the hypervisor loads the kernel.
    let firmware: ImageManifest.Firmware?
    /// Whether the machine is a clone that has not booted since.
    let isClone: Bool

    /// The code of the error that tells of a guest which crashed.
    static let crashCode = ErrorCode.readyCrashed
    /// The code of the error that tells of a machine which ended.
    static let diedCode = ErrorCode.readyMachineDied

    // What is waited for, as far as it is known; shown beside the boot's phase.
    let waiting = LastFinding()
    let hasWay = Locked(false)

    init(
        parts: EngineParts,
        record: GenerationRecord,
        forwards: [Name: UInt16],
        console: ConsoleLog,
        isClone: Bool
    ) {
        self.parts = parts
        machine = record.machine
        spec = record.spec
        processors = record.size.processors
        self.forwards = forwards
        self.console = console
        self.isClone = isClone
        firmware = if case .firmware(let firmware) = record.boot { firmware } else { nil }
    }

    /// How long a machine of this host may take to be ready where the lab file does not say.
    var readyTimeout: Duration { Self.timeout(of: spec, parts) }

    /// The same, for a server as it is declared.
    static func timeout(of spec: ServerSpec, _ parts: EngineParts) -> Duration {
        spec.readyTimeout ?? parts.machines.platform.readyTimeout
    }

    /// How long readiness and the time for which it has to last may take together.
    var healthyDeadline: Duration { spec.healthyDeadline ?? readyTimeout + spec.minHealthy }

    /// How much of a deadline is left after some time, in which maybe nobody looked: a machine that became ready meanwhile
    /// gets some time to show it.
    func left(of deadline: Duration, after spent: Duration) -> Duration {
        max(deadline - spent, min(deadline, deadline / 10 + spec.minHealthy))
    }

    /// Waits for something in the guest, but no longer than the deadline, and only while its machine runs and its console
    /// tells of nothing fatal.
    ///
    /// - Parameter left: how much of the deadline is left; nothing means all of it.
    /// - Throws: what `body` throws, and `KilnError` with `ready.timeout`, `ready.crashed` or `ready.machine-died`.
    func within(
        _ deadline: Duration,
        left: Duration? = nil,
        _ body: @escaping @Sendable () async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                do {
                    try await body()
                } catch let error as KilnError {
                    // Who asks the guest may hear of its end before the watcher looks, and take it for something else.
                    guard await isOver(error) else { throw error }
                    throw died(.off)
                }
                return true
            }
            group.addTask { try await watchMachine() }
            // The deadline itself.
            group.addTask {
                try await Task.sleep(for: left ?? deadline)
                return false
            }
            defer { group.cancelAll() }
            if try await group.next() == false { throw timeout(deadline) }
        }
    }

    private func isOver(_ error: KilnError) async -> Bool {
        if error.code == .guestMachineOff { return true }
        return await (try? parts.machines.state(of: machine)) == .off
    }

    /// Waits until each check holds, one after the other.
    func pass(_ checks: [Check]) async throws {
        for check in checks {
            waiting.text = check.description
            parts.progress(.waiting(machine.member, machine.generation, check.description))
            try await pass(check)
        }
    }

    /// Waits until each check holds, and looks at the mounts once they do, or after a head start for them.
    func pass(_ checks: [Check], headStart: Duration, requireMounts: @Sendable () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await pass(checks)
                return true
            }
            // The head start itself.
            group.addTask {
                try await Task.sleep(for: headStart)
                return false
            }
            defer { group.cancelAll() }
            let havePassed = try await group.next() ?? false
            if havePassed { waiting.text = "the mounts of its volumes" }
            try await requireMounts()
            if !havePassed { _ = try await group.next() }
        }
    }

    private func pass(_ check: Check) async throws {
        // The one condition whose coming is told: an agent that connects.
        if check.probe == .agent && check.successes == 1 { return try await awaitAgent() }
        if check.probe.isAskedInside { try await awaitWay() }
        // A clone's agent answers before its cloud-init has begun, and each question takes from the little time that it needs.
        if isClone, case .cloudInit = check.probe { try await pauseForCloudInit() }
        var held = 0
        while true {
            switch await attempt(check) {
            case .holds: held += 1
            case .failed(let reason): throw failed(check, reason)
            case .notYet(let found), .dataDamaged(let found):
                held = 0
                waiting.text = "\(check): \(found)\(check.hint.map { " (\($0))" } ?? "")"
            }
            if held >= check.successes { return }
            try await pause(before: check)
        }
    }

    // No event tells that a condition inside a guest has come to hold. What is asked of the guest itself takes from the time
    // that it has to boot; its console costs it nothing.
    private func pause(before check: Check) async throws {
        if let every = check.every { return try await Task.sleep(for: every) }
        switch check.probe {
        case .agent, .http, .tcp: try await Task.sleep(for: .milliseconds(100))
        case .exec, .resource, .not, .any, .all: try await Task.sleep(for: .milliseconds(250))
        case .cloudInit: try await pauseForCloudInit()
        }
    }

    // A line in its console log is no event either, but a look at a file is all that it costs.
    private func pauseForCloudInit() async throws {
        let next = ContinuousClock.now + (console.tellsOfCloudInit ? .seconds(5) : .seconds(1))
        repeat {
            try await Task.sleep(for: .milliseconds(isClone ? 20 : 100))
        } while ContinuousClock.now < next && !console.tellsOfCloudInitEnd
    }

    /// Watches that checks which held go on holding for a while.
    ///
    /// - Throws: `ready.lost` where one failed as often in a row as it may.
    func stay(_ checks: [Check], for duration: Duration) async throws {
        let end = ContinuousClock.now + duration
        guard duration > .zero else { return }
        waiting.text = "min-healthy of \(duration.components.seconds) s"
        parts.progress(.waiting(machine.member, machine.generation, waiting.text))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for check in checks { group.addTask { try await hold(check, until: end) } }
            try await group.waitForAll()
        }
    }

    private func hold(_ check: Check, until end: ContinuousClock.Instant) async throws {
        var failures = 0
        while true {
            switch await attempt(check) {
            case .holds: failures = 0
            case .notYet(let found), .failed(let found), .dataDamaged(let found):
                failures += 1
                if failures >= check.failures { throw lost(check, found) }
            }
            // What failed last is looked at again, also when the time is over: it ends with a check that holds, or with one
            // that failed too often.
            let next = ContinuousClock.now + (check.every ?? .seconds(1))
            guard next < end || failures > 0 else { break }
            // A condition that is watched has no event of its end.
            try await Task.sleep(until: next, clock: .continuous)
        }
        // What is left of the time for which it has to hold.
        try await Task.sleep(until: end, clock: .continuous)
    }

    /// Checks each in turn; one that does not hold in as many attempts as it may fail ends it.
    ///
    /// - Throws: `verify.failed`; `verify.data-damaged` where a command says so by exit status 65.
    func verify(_ checks: [Check]) async throws {
        for check in checks {
            waiting.text = check.description
            parts.progress(.waiting(machine.member, machine.generation, check.description))
            try await verify(check)
        }
    }

    private func verify(_ check: Check) async throws {
        var held = 0
        var failures = 0
        while held < check.successes {
            switch await attempt(check) {
            case .holds:
                held += 1
                failures = 0
            case .dataDamaged(let found): throw damaged(check, found)
            case .notYet(let found), .failed(let found):
                held = 0
                failures += 1
                if failures >= check.failures { throw notVerified(check, found) }
            }
            // The next attempt is another look at the same condition.
            if held < check.successes { try await Task.sleep(for: check.every ?? .seconds(1)) }
        }
    }

    /// Whether each of these holds when it is asked once.
    func holdsNow(_ checks: [Check]) async -> Bool {
        for check in checks where await attempt(check) != .holds { return false }
        return true
    }

    private func attempt(_ check: Check) async -> ProbeFinding { await checks.finding(check) }

    private var checks: GuestChecks {
        GuestChecks(guests: parts.guests, network: parts.network, machine: machine, forwards: forwards)
    }

    // Beside the probes, so that a machine that dies ends the wait at once, and its phase is shown.
    private func watchMachine() async throws -> Bool {
        var shown = ""
        var firmwareWatch = FirmwareWatch(self)
        while true {
            let phase = "\(console.phase); waiting for \(waiting.text)"
            if phase != shown { parts.progress(.waiting(machine.member, machine.generation, phase)) }
            shown = phase
            let state = try await parts.machines.state(of: machine)
            if state != .running { throw died(state) }
            if let line = console.fatalLine { throw crashed(line) }
            try firmwareWatch.look()
            // The console log and its phase are read from a file that only grows; half a second is soon enough for people.
            try await Task.sleep(for: .milliseconds(500))
        }
    }

    private func died(_ state: MachineState) -> KilnError {
        KilnError(
            Self.diedCode,
            "\(machine) was to become ready, but its machine is \(state.rawValue)"
                + (state == .paused ? "" : parts.machines.ending(of: machine)),
            hint: state == .paused
                ? "a write error pauses a machine: check the free space of the host"
                : sign?.hint
                    ?? "read the console log: the guest switched itself off, crashed, or QEMU was ended from outside",
            cause: lastLines,
            exit: .aborted
        )
    }

    private func crashed(_ line: String) -> KilnError {
        KilnError(
            Self.crashCode,
            "the console of \(machine) says: \(line)",
            hint: sign?.hint
                ?? "read the console log; a line that is harmless here goes into the server's 'console-allow'",
            cause: lastLines,
            exit: .aborted
        )
    }

    /// What the console of this boot tells of the host's machines, where it does.
    private var sign: Platform.ConsoleSign? {
        console.firstSign(of: parts.machines.platform.signs.filter { $0.processors <= processors })
    }

    func failed(_ check: Check, _ reason: String) -> KilnError {
        KilnError(
            .readyFailed,
            "\(machine) can't become ready: \(check): \(reason)",
            hint: check.hint
                ?? "read the console log, or cloud-init's own in the guest: /var/log/cloud-init-output.log",
            cause: lastLines,
            exit: .aborted
        )
    }

    private func lost(_ check: Check, _ found: String) -> KilnError {
        KilnError(
            .readyLost,
            "\(machine) was ready, but not for its min-healthy of \(spec.minHealthy.components.seconds) s: "
                + "\(check) failed \(check.failures) times in a row: \(found)",
            hint: check.hint ?? "see in the guest why the service does not stay up",
            cause: lastLines,
            exit: .aborted
        )
    }

    private func notVerified(_ check: Check, _ found: String) -> KilnError {
        KilnError(
            .verifyFailed,
            "\(machine) is healthy, but does not pass its 'verify': \(check): \(found)",
            hint: check.hint,
            exit: .aborted
        )
    }

    private func damaged(_ check: Check, _ found: String) -> KilnError {
        KilnError(
            .verifyDataDamaged,
            "\(check) says that the data of \(machine.member) is damaged: \(found)",
            hint: check.hint ?? "look at the data with 'kiln volume check' and a clone before anything writes to it",
            exit: .halted
        )
    }

    func timeout(_ deadline: Duration) -> KilnError {
        let phase = console.phase
        let waitedFor = waiting.text
        let likely =
            wrongFirmware
            ?? (phase == "booted"
                ? "the guest booted, so find out in it why this does not hold: \(waitedFor)"
                : "the guest has only come to '\(phase)': raise ready-timeout if it is slow, else read the console log")
        return KilnError(
            .readyTimeout,
            "\(machine) was not ready after \(deadline.components.seconds) s; phase \(phase), waiting for \(waitedFor)",
            hint: likely,
            cause: lastLines,
            exit: .deadline
        )
    }

    var lastLines: String? {
        let lines = console.lastLines(8)
        return lines.isEmpty ? nil : "the console's last lines:\n    " + lines.joined(separator: "\n    ")
    }
}

/// What the probe in turn found last, shared between the wait and the watcher.
final class LastFinding: Sendable {
    private let state = Locked("")
    var text: String {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }
}
