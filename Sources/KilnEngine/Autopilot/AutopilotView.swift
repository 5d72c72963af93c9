import KilnModel
import KilnSystem

/// What is true of the members of a lab's servers that declare `heal`: read anew before every decision.
struct AutopilotView: Sendable {
    let engine: LabEngine
    let lab: Name

    /// How long a member may take to show that it is ready.
    static let patience = Check.usualTimeout

    /// What is true now.
    ///
    /// - Parameter busy: members that are being worked on, which nobody need ask.
    /// - Throws: `lab.missing` where the lab is not up any more.
    func observe(busy: Set<MemberID> = []) async throws -> AutopilotObservation {
        let began = AutopilotClock.now
        let servers = try engine.lab(lab).servers
        let members = await withTaskGroup(of: (MemberID, AutopilotObservation.Member?).self) { group in
            for (name, spec) in servers {
                guard let heal = spec.heal else { continue }
                let server = ServerID(lab: lab, server: name)
                var blank = AutopilotObservation.Member(
                    .unknown("it is being worked on"),
                    heal: heal,
                    readyTimeout: ReadinessWaiter.timeout(of: spec, engine.parts)
                )
                blank.hasRollout = hasRollout(server)
                for id in engine.members(of: server) where id.ordinal < spec.replicas {
                    let (isBusy, blank) = (busy.contains(id), blank)
                    group.addTask { (id, isBusy ? blank : await member(id, blank, spec.maxAge)) }
                }
            }
            return await group.reduce(into: [MemberID: AutopilotObservation.Member]()) { $0[$1.0] = $1.1 }
        }
        return AutopilotObservation(
            began: began,
            now: AutopilotClock.now,
            minute: AutopilotClock.minute,
            members: members,
            busy: busy
        )
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
        if !member.isLocked { member.standing = try await standing(of: machine, workspace, record) }
        // In this order: whoever stops it has the lock, and writes that down before it is off.
        member.isLocked = member.isLocked || workspace.isLocked
        let history = try workspace.history()
        if history.current != current { member.standing = .unknown("it was just replaced") }
        member.isWantedOn = history.isWantedOn
        member.isHalted = history.halted != nil
        member.isOpen = history.open != nil
        member.isBooting = (try? workspace.timeReady(machine)) == nil
        member.isDue = ServerStatus.isDue(age: record.age, maxAge: maxAge)
        return member
    }

    private func standing(
        of machine: MachineID,
        _ workspace: ServerWorkspace,
        _ record: GenerationRecord
    ) async throws -> AutopilotObservation.Standing {
        switch try await engine.parts.machines.state(of: machine) {
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

    /// Whether a machine that runs is ready, as far as it shows that within ``AutopilotView/patience``.
    func answersNow(_ machine: MachineID, _ record: GenerationRecord) async -> Bool {
        let answer = try? await withDeadline(AutopilotView.patience, operation: "ask whether \(machine) is ready") {
            let isAsked = record.spec.ready.contains { if case .cloudInit = $0.probe { false } else { true } }
            return isAsked ? await isReadyNow(machine) : await isReached(machine)
        }
        return answer ?? false
    }

    // Where nothing but the end of cloud-init is declared, which comes once, the guest itself has to answer. One into which
    // nobody has ever come tells nothing by that.
    private func isReached(_ machine: MachineID) async -> Bool {
        guard let way = way(into: machine), way != .closed else { return true }
        return (try? await parts.guests.awaitWay(into: machine, within: AutopilotView.patience)) != nil
    }
}
