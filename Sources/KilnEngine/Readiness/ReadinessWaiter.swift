import Foundation
import KilnModel

/// Waits until a machine is ready, or can't become it any more.
struct ReadinessWaiter {
    let parts: EngineParts
    let machine: MachineID
    let spec: ServerSpec
    let forwards: [Name: UInt16]
    let console: ConsoleLog

    // No event tells that a condition inside a guest has come to hold, so it is looked at this often.
    private let interval = Duration.milliseconds(100)

    /// How long a machine of this host may take where the lab file does not say.
    var deadline: Duration {
        spec.readyTimeout ?? (parts.machines.acceleration == .kvm ? .seconds(120) : .seconds(300))
    }

    /// Waits for all probes in turn.
    ///
    /// - Throws: `KilnError` with `ready.timeout`, `ready.failed` or `ready.machine-died`.
    func wait() async throws {
        let waiting = LastFinding()
        let deadline = deadline
        do {
            try await withThrowingTaskGroup(of: Bool.self) { group in
                group.addTask { try await passProbes(waiting) }
                group.addTask { try await watchMachine(waiting) }
                // The deadline itself.
                group.addTask {
                    try await Task.sleep(for: deadline)
                    return false
                }
                defer { group.cancelAll() }
                if try await group.next() == false { throw timeout(waiting.text) }
            }
        }
    }

    private func passProbes(_ waiting: LastFinding) async throws -> Bool {
        for probe in spec.ready.map(\.probe) {
            waiting.text = probe.description
            parts.progress(.waiting(machine.server, machine.generation, probe.description))
            try await pass(probe, waiting)
        }
        return true
    }

    private func pass(_ probe: Probe, _ waiting: LastFinding) async throws {
        if probe == .agent { return try await parts.guests.awaitAgent(machine, within: deadline) }
        while true {
            switch await finding(probe) {
            case .holds: return
            case .failed(let reason): throw failed(probe, reason)
            case .notYet(let found): waiting.text = "\(probe): \(found)"
            }
            try await Task.sleep(for: interval)
        }
    }

    private func finding(_ probe: Probe) async -> ProbeFinding {
        switch probe {
        case .agent: .holds
        case .cloudInit(let allowDegraded): await cloudInit(allowDegraded)
        case .http(let port, let path, let status, let contains):
            await parts.network.http(port: forwards[port] ?? 0, path: path, status: status, contains: contains)
        case .tcp(let port, let send, let expect):
            await parts.network.tcp(port: forwards[port] ?? 0, send: send, expect: expect)
        case .exec(let command): await exec(command)
        }
    }

    private func cloudInit(_ allowDegraded: Bool) async -> ProbeFinding {
        do {
            let status = try await parts.guests.read(CloudInitStatus.statusPath, in: machine, limit: 65536)
            guard let result = try await parts.guests.read(CloudInitStatus.resultPath, in: machine, limit: 65536) else {
                return .notYet(CloudInitStatus.stage(status))
            }
            return CloudInitStatus.finding(result: result, status: status, allowDegraded: allowDegraded)
        } catch {
            return .notYet(String(describing: error))
        }
    }

    private func exec(_ command: [String]) async -> ProbeFinding {
        do {
            let result = try await parts.guests.run(GuestCommand(command, deadline: .seconds(20)), in: machine)
            if result.status == 0 { return .holds }
            return .notYet(
                "exit status \(result.status) \(Name.quoted(String(decoding: result.errors.prefix(200), as: UTF8.self)))"
            )
        } catch {
            return .notYet(String(describing: error))
        }
    }

    // Beside the probes, so that a machine that dies ends the wait at once, and its phase is shown.
    private func watchMachine(_ waiting: LastFinding) async throws -> Bool {
        var shown = ""
        while true {
            let phase = "\(console.phase); waiting for \(waiting.text)"
            if phase != shown { parts.progress(.waiting(machine.server, machine.generation, phase)) }
            shown = phase
            let state = try await parts.machines.state(of: machine)
            if state != .running { throw died(state) }
            if let line = console.fatalLine { throw failed(nil, line) }
            // The console log and its phase are read from a file that only grows; half a second is soon enough for people.
            try await Task.sleep(for: .milliseconds(500))
        }
    }

    private func died(_ state: MachineState) -> KilnError {
        KilnError(
            "ready.machine-died",
            "\(machine) was to become ready, but its machine is \(state.rawValue)",
            hint: state == .paused
                ? "a write error pauses a machine: check the free space of the host"
                : "read the console log: the guest switched itself off, crashed, or QEMU was ended from outside",
            cause: lastLines,
            exit: .aborted
        )
    }

    private func failed(_ probe: Probe?, _ reason: String) -> KilnError {
        KilnError(
            "ready.failed",
            "\(machine) can't become ready: \(probe.map { "\($0): " } ?? "")\(reason)",
            hint: "read the console log, or cloud-init's own in the guest: /var/log/cloud-init-output.log",
            cause: lastLines,
            exit: .aborted
        )
    }

    private func timeout(_ waitedFor: String) -> KilnError {
        let phase = console.phase
        let likely =
            phase == "booted"
            ? "the guest booted, so look at the service that '\(waitedFor)' talks to"
            : "the guest has only come to '\(phase)': raise ready-timeout if it is slow, else read the console log"
        return KilnError(
            "ready.timeout",
            "\(machine) was not ready after \(deadline.components.seconds) s; phase \(phase), waiting for \(waitedFor)",
            hint: likely,
            cause: lastLines,
            exit: .deadline
        )
    }

    private var lastLines: String? {
        let lines = console.lastLines(8)
        return lines.isEmpty ? nil : "the console's last lines:\n    " + lines.joined(separator: "\n    ")
    }
}

/// What the probe in turn found last, shared between the wait and the watcher.
private final class LastFinding: Sendable {
    private let state = Locked("")
    var text: String {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }
}
