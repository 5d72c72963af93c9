import KilnModel
import KilnSystem

/// What is true of the servers of a lab that declare `heal` or `autoscale`: read anew before every decision.
struct AutopilotView: Sendable {
    let engine: LabEngine
    let lab: Name

    /// What is true at one look: of the members that are to be healed, and of the servers whose number follows their load.
    struct Sight: Sendable {
        let members: AutopilotObservation
        let servers: AutoscaleObservation
    }

    /// A server, its declaration, and what was found of its members.
    private struct Found: Sendable {
        let id: ServerID
        let spec: ServerSpec
        var members: [MemberID: AutopilotObservation.Member?] = [:]
        var server: AutoscaleObservation.Server?
    }

    /// What is true now.
    ///
    /// - Parameters:
    ///   - busy: members that are being worked on, which nobody need ask.
    ///   - scaling: servers whose members are let come or go.
    /// - Throws: `lab.missing` where the lab is not up any more.
    func observe(busy: Set<MemberID> = [], scaling: Set<ServerID> = []) async throws -> Sight {
        let began = AutopilotClock.now
        let declared = try engine.lab(lab).servers.filter { $0.value.isLookedAfter }
        let found = await withTaskGroup(of: Found.self) { group in
            for (name, spec) in declared {
                let server = ServerID(lab: lab, server: name)
                group.addTask { await find(server, spec, busy, isScaling: scaling.contains(server)) }
            }
            return await group.reduce(into: [Found]()) { $0.append($1) }
        }
        let members = found.filter { $0.spec.heal != nil }.flatMap(\.members).compactMap { id, member in
            member.map { (id, $0) }
        }
        let servers = found.compactMap { found in found.server.map { (found.id, $0) } }
        let now = AutopilotClock.now
        let patience = found.flatMap(\.members.values).compactMap { $0?.patience }.max() ?? Check.usualTimeout
        return Sight(
            members: AutopilotObservation(
                began: began,
                now: now,
                patience: patience,
                minute: AutopilotClock.minute,
                members: Dictionary(uniqueKeysWithValues: members),
                busy: busy
            ),
            servers: AutoscaleObservation(
                began: began,
                now: now,
                patience: patience,
                servers: Dictionary(uniqueKeysWithValues: servers),
                busy: scaling
            )
        )
    }

    private func find(
        _ server: ServerID,
        _ spec: ServerSpec,
        _ busy: Set<MemberID>,
        isScaling: Bool
    ) async -> Found {
        var blank = AutopilotObservation.Member(
            .unknown("it is being worked on"),
            heal: spec.heal ?? HealSpec(),
            readyTimeout: ReadinessWaiter.timeout(of: spec, engine.parts)
        )
        blank.hasRollout = hasRollout(server)
        // No machine is renewed while others come or go.
        let maxAge = isScaling ? nil : spec.maxAge
        var found = Found(id: server, spec: spec)
        found.members = await withTaskGroup(of: (MemberID, AutopilotObservation.Member?).self) { group in
            for id in engine.members(of: server) where id.ordinal < spec.replicas {
                let (isBusy, blank) = (busy.contains(id), blank)
                group.addTask { (id, isBusy ? blank : await member(id, blank, maxAge)) }
            }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        guard let limits = spec.autoscale else { return found }
        if isScaling {
            found.server = AutoscaleObservation.Server(limits, replicas: spec.replicas)
            found.server?.memory = engine.memory(of: spec)
        } else {
            let isHealing = busy.contains { $0.whole == server }
            found.server = await load(server, spec, limits, found.members, isHealing: isHealing)
        }
        return found
    }

    // One whose rollouts can't be read may be in the middle of one.
    private func hasRollout(_ server: ServerID) -> Bool {
        do {
            return try engine.rollout(of: server).map { $0.standing != .ended } ?? false
        } catch {
            return true
        }
    }

    // One of which nothing can be known hides no other.
    private func member(
        _ id: MemberID,
        _ blank: AutopilotObservation.Member,
        _ maxAge: Duration?
    ) async -> AutopilotObservation.Member? {
        do {
            return try await look(at: id, blank, maxAge)
        } catch {
            var member = blank
            member.standing = .unknown(KilnError.wrapping(error).message)
            return member
        }
    }

    private func look(
        at id: MemberID,
        _ blank: AutopilotObservation.Member,
        _ maxAge: Duration?
    ) async throws -> AutopilotObservation.Member? {
        let workspace = engine.workspace(id)
        var member = blank
        member.isLocked = workspace.isLocked
        // Before its first machine was committed there is nobody to heal.
        guard let current = try workspace.history().current else { return nil }
        let machine = id.machine(current)
        let record = try workspace.record(machine)
        member.generation = current
        member.patience = record.spec.patience
        if !member.isLocked {
            let state = try await engine.parts.machines.state(of: machine)
            member.isPaused = state == .paused
            member.standing = await standing(of: machine, state, workspace, record)
        }
        // In this order: whoever stops it has the lock, and writes that down before it is off.
        member.isLocked = member.isLocked || workspace.isLocked
        let history = try workspace.history()
        if history.current != current { member.standing = .unknown("it was just replaced") }
        member.isWantedOn = history.isWantedOn
        member.isHalted = history.halted != nil
        member.isOpen = history.open != nil
        member.isBooting = (try? workspace.timeReady(machine)) == nil
        member.isDue = ServerStatus.isDue(age: ServerStatus.age(since: record.created), maxAge: maxAge)
        return member
    }

    private func standing(
        of machine: MachineID,
        _ state: MachineState,
        _ workspace: ServerWorkspace,
        _ record: GenerationRecord
    ) async -> AutopilotObservation.Standing {
        switch state {
        case .absent, .off, .crashed: .gone
        // It may go on where it is started, such as after a write error.
        case .paused: .silent
        case .running: await workspace.answersNow(machine, record) ? .ready : .silent
        }
    }
}

extension ServerWorkspace {
    /// Whether a command is at work on the member.
    var isLocked: Bool {
        do {
            _ = try FileLock(state.member(id) + "/lock", subject: "server \(id)", kind: .shared)
            return false
        } catch {
            return true
        }
    }

    /// Whether a machine that runs is ready, as far as it shows that in time.
    func answersNow(_ machine: MachineID, _ record: GenerationRecord) async -> Bool {
        let answer = try? await withDeadline(record.spec.patience, operation: "ask whether \(machine) is ready") {
            await record.spec.isAskedAgain ? isReadyNow(machine) : isReached(machine)
        }
        return answer ?? false
    }

    // Where nothing but the end of cloud-init is declared, which comes once, the guest itself has to answer. One into which
    // nobody has ever come tells nothing by that.
    private func isReached(_ machine: MachineID) async -> Bool {
        guard let way = way(into: machine), way != .closed else { return true }
        return (try? await parts.guests.awaitWay(into: machine, within: Check.usualTimeout)) != nil
    }
}

extension ServerSpec {
    // cloud-init ends once in each boot.
    private var askedAgain: [Check] { ready.filter { if case .cloudInit = $0.probe { false } else { true } } }

    /// Whether a machine that was ready shows by its checks that it is so still.
    fileprivate var isAskedAgain: Bool { !askedAgain.isEmpty }

    /// How long a machine may take for that: its checks are asked one after the other, each for as long as it declares.
    fileprivate var patience: Duration { max(Check.usualTimeout, askedAgain.map(\.timeout).reduce(.zero, +)) }
}
