import KilnModel
import KilnStore
import KilnSystem

/// Does one thing to one member.
struct AutopilotMover: Sendable {
    let engine: LabEngine

    /// Does it.
    ///
    /// - Throws: `CancellationError` only.
    func perform(_ heal: AutopilotHeal) async throws -> AutopilotEnd {
        do {
            // One that begins meanwhile would find the member in the middle of this.
            let rollout = try engine.lockRollout(of: heal.member.whole)
            defer { withExtendedLifetime(rollout) {} }
            switch heal.act {
            case .start, .restart: try await engine.startAgain(heal.member, heal.generation)
            case .recover: return try await recover(heal.member.machine(heal.generation))
            case .replace:
                try await engine.requireSound(heal.member, heal.generation)
                return try await replace(heal.member.machine(heal.generation), forceStop: true)
            case .renew: return try await replace(heal.member.machine(heal.generation), forceStop: false)
            }
            return .serves
        } catch let change as NotAsSeen {
            return .left(change.reason)
        } catch let error as KilnError {
            return try end(error)
        }
    }

    private func recover(_ seen: MachineID) async throws -> AutopilotEnd {
        try await engine.recover(seen)
        let workspace = engine.workspace(seen.member)
        let machine = try engine.machine(seen.member)
        let isRunning = try await engine.parts.machines.state(of: machine) == .running
        if isRunning, await workspace.answersNow(machine, try workspace.record(machine)) { return .serves }
        return .failed(AutopilotFailure(.readyTimeout, "what was interrupted has ended, and \(machine) is not ready"))
    }

    private func replace(_ seen: MachineID, forceStop: Bool) async throws -> AutopilotEnd {
        var options = ReplaceOptions(forceStop: forceStop)
        // It served before, so nothing that is said of it by now stands in the way.
        options.isWayBack = true
        let spec = try engine.sameSpec(seen.member)
        // A member that is healed by another machine is to be back soon, and its image is known to boot.
        options.launch = spec.launch
        let report = try await engine.replace(seen, by: spec, options)
        if report.outcome == .committed { return .serves }
        // Whoever interrupts it wants the autopilot to stop, and says nothing against the machine.
        if report.turn?.code == .interrupted { throw CancellationError() }
        let isHalted = report.outcome == .halted
        return .failed(
            AutopilotFailure(
                report.turn?.code ?? (isHalted ? .replaceHalted : .replaceInterrupted),
                report.why ?? report.reason ?? "its replacement was \(report.outcome.rawValue)",
                hint: isHalted ? "'kiln recover \(seen.member)' names the ways out" : report.turn?.hint,
                needsPerson: isHalted
            )
        )
    }

    private func end(_ error: KilnError) throws -> AutopilotEnd {
        switch error.exit {
        case .interrupted: throw CancellationError()
        // Nothing is known of the member by that.
        case .unreachable: return .left(error.message)
        default: break
        }
        if error.code == .lockHeld { return .left(error.message) }
        let isHalted = error.code == .replaceHalted
        return .failed(
            AutopilotFailure(
                error.code,
                error.message,
                // That of a halted one has a line for each way out.
                hint: isHalted ? nil : error.hint,
                needsPerson: error.exit == .halted
            )
        )
    }
}

/// A member or a server is not as it was seen any more.
struct NotAsSeen: Error {
    let reason: String
}

extension LabEngine {
    /// Starts the machine of a member that is gone or silent again, the same generation, and waits until it is ready.
    ///
    /// One that runs is ended by force first, and one that stands still goes on. The volumes of any other have to pass a check:
    /// nobody knows how it ended.
    ///
    /// - Throws: `machine.paused` where it stands still again.
    func startAgain(_ id: MemberID, _ generation: Generation) async throws {
        let workspace = try existing(id)
        let lock = try workspace.lock()
        defer { withExtendedLifetime(lock) {} }
        _ = try await recoverLocked(workspace)
        let machine = id.machine(generation)
        try await requireAsSeen(machine, workspace)
        // One that stands still may go on, and has lost nothing then.
        if try await parts.machines.state(of: machine) != .paused { try await end(machine, workspace) }
        do {
            try await startLocked(workspace)
        } catch let error as KilnError where ![.unreachable, .interrupted].contains(error.exit) {
            try await requireNotPaused(machine)
            throw error
        }
    }

    /// Ends the machine of a member by force and requires that its volumes pass a check.
    ///
    /// - Throws: `volume.damaged` or `volume.newer-features` with exit `.halted`; `machine.paused`.
    func requireSound(_ id: MemberID, _ generation: Generation) async throws {
        let workspace = try existing(id)
        let lock = try workspace.lock()
        defer { withExtendedLifetime(lock) {} }
        _ = try await recoverLocked(workspace, leavingNew: true, leavingOld: true)
        let machine = id.machine(generation)
        try await requireAsSeen(machine, workspace)
        try await end(machine, workspace)
        try await workspace.proveOff(machine)
        for name in try workspace.volumeNames(of: machine) {
            try await volumes.requireClean(lab: id.lab, name: name)
        }
    }

    /// What a member's machine was made from, by the words of its declaration where these still mean the same image.
    func sameSpec(_ id: MemberID) throws -> ServerSpec {
        let record = try record(id)
        var spec = record.spec
        let named = try? parts.images.usable(spec.image, .any).manifest.digest
        if named != record.image.digest {
            spec.image = ImageReference(name: record.image.name, selector: .digest(record.image.digest))
        }
        return spec
    }

    // Under the lock: since the look a person may have stopped it, or it may have become ready.
    private func requireAsSeen(_ machine: MachineID, _ workspace: ServerWorkspace) async throws {
        try requireWanted(machine, try workspace.history())
        let isRunning = try await parts.machines.state(of: machine) == .running
        guard isRunning, await workspace.answersNow(machine, try workspace.record(machine)) else { return }
        throw NotAsSeen(reason: "it is ready again by itself")
    }

    /// Requires, under its lock, that a member's machine is the one that was seen, and that nobody wants it off.
    ///
    /// - Throws: ``NotAsSeen``.
    func requireWanted(_ machine: MachineID, _ history: ServerHistory) throws {
        guard history.current == machine.generation else { throw NotAsSeen(reason: "it was replaced meanwhile") }
        guard history.isWantedOn else { throw NotAsSeen(reason: "it was stopped meanwhile") }
        guard history.halted == nil else { throw NotAsSeen(reason: "it halted meanwhile") }
    }

    // Without a word in its journal: that a person wants it off is what 'kiln stop' says.
    private func end(_ machine: MachineID, _ workspace: ServerWorkspace) async throws {
        guard try await parts.machines.state(of: machine).isAlive else {
            for name in try workspace.volumeNames(of: machine) {
                try await volumes.markUnclean(lab: machine.member.lab, name: name)
            }
            return
        }
        try await workspace.takingOut(machine, patiently: false) {
            try await requireNotPaused(machine)
            try await workspace.cutPower(of: machine)
        }
    }

    // What its guest has not written yet would be lost with its power, and is not while it stands still.
    private func requireNotPaused(_ machine: MachineID) async throws {
        guard try await parts.machines.state(of: machine) == .paused else { return }
        throw KilnError(
            .machinePaused,
            "\(machine) should run, but stands still: a write error pauses a machine, such as for want of free space on the host",
            hint: "free some space, for example with 'kiln gc', then let it go on: 'kiln start \(machine.member)'",
            exit: .blocked
        )
    }
}
