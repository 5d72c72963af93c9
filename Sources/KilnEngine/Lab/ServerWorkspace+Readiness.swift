import Foundation
import KilnModel
import KilnSystem

/// What is waited for, and run, in a guest.
extension ServerWorkspace {
    /// Waits until a machine that was booted with its volumes is ready.
    func awaitReady(_ machine: MachineID) async throws {
        let waiter = try waiter(machine, ports: try self.ports(of: machine))
        try await waiter.within(waiter.readyTimeout) { try await becomeReady(machine, waiter) }
        markReady(machine)
        await noteWay(into: machine)
    }

    /// Waits until a machine that was booted with its volumes is ready, and lets clients reach it.
    func awaitServing(_ machine: MachineID) async throws {
        try await awaitReady(machine)
        try await putIn(machine)
    }

    /// Whether a machine that was ready before is so now; one that can't be asked is not.
    func isReadyNow(_ machine: MachineID) async -> Bool {
        guard (try? await parts.machines.state(of: machine)) == .running,
            let waiter = try? waiter(machine, ports: try self.ports(of: machine))
        else { return false }
        // cloud-init ends once in each boot.
        return await waiter.holdsNow(waiter.spec.ready.filter { if case .cloudInit = $0.probe { false } else { true } })
    }

    /// Waits until a machine of a warm-first replacement is ready but for its data.
    func awaitWarm(_ machine: MachineID, ports: [Name: UInt16]) async throws {
        let waiter = try waiter(machine, ports: ports)
        do {
            try await waiter.within(waiter.readyTimeout) { try await waiter.pass(waiter.spec.warmReady) }
        } catch let error as KilnError where ErrorCode.readiness.contains(error.code) && !waiter.spec.volumes.isEmpty {
            throw withoutVolumes(error, waiter.spec)
        }
    }

    // The usual reason, and one that the guest tells as "Operation not permitted" at best.
    private func withoutVolumes(_ error: KilnError, _ spec: ServerSpec) -> KilnError {
        let paths = spec.mounts.map(\.path).joined(separator: ", ")
        let why =
            "a warm machine has no volumes yet, and nothing can be written below \(paths) before they are mounted: "
            + "what needs them belongs into 'after-attach', or replace with '--strategy stop-first'"
        return KilnError(
            error.code,
            error.message,
            hint: [error.hint, why].compactMap { $0 }.joined(separator: "; "),
            cause: error.cause,
            exit: error.exit
        )
    }

    /// Waits until a new machine that was booted with its volumes is ready, and has been so for its `min-healthy`.
    func awaitHealthy(_ machine: MachineID) async throws {
        let waiter = try waiter(machine, ports: try self.ports(of: machine))
        let spent = try timeInHealth(of: machine)
        try await waiter.within(waiter.healthyDeadline, left: waiter.left(of: waiter.healthyDeadline, after: spent)) {
            try await waiter.within(waiter.readyTimeout, left: waiter.left(of: waiter.readyTimeout, after: spent)) {
                try await becomeReady(machine, waiter)
            }
            markReady(machine)
            await noteWay(into: machine)
            // Nobody else serves, so clients have nothing from waiting until it has been ready for long.
            try await putIn(machine)
            try await waiter.stay(waiter.spec.ready, for: waiter.spec.minHealthy)
        }
    }

    /// The same of one that got its volumes later, is asked on other ports, and gets the published ones once it is ready.
    func awaitHealthy(_ machine: MachineID, on ports: [Name: UInt16]) async throws {
        let waiter = try waiter(machine, ports: ports)
        let spent = try timeInHealth(of: machine)
        let (begin, whole) = (ContinuousClock.now, waiter.left(of: waiter.healthyDeadline, after: spent))
        let ready = min(whole, waiter.left(of: waiter.readyTimeout, after: spent))
        try await waiter.within(waiter.readyTimeout, left: ready) { try await waiter.pass(waiter.spec.ready) }
        markReady(machine)
        await noteWay(into: machine)
        // As above.
        try await publish(machine)
        let published = try self.waiter(machine, ports: try self.ports(of: machine))
        try await published.within(waiter.healthyDeadline, left: whole - (ContinuousClock.now - begin)) {
            try await published.stay(waiter.spec.ready, for: waiter.spec.minHealthy)
        }
    }

    /// Checks once more what the user wants to hold before a new machine is kept.
    func verify(_ machine: MachineID) async throws {
        let waiter = try waiter(machine, ports: try self.ports(of: machine))
        guard !waiter.spec.verify.isEmpty else { return }
        try await waiter.within(waiter.readyTimeout) { try await waiter.verify(waiter.spec.verify) }
    }

    // After a boot with volumes: a guest that boots without its data would serve from, and write to, its root.
    private func becomeReady(_ machine: MachineID, _ waiter: ReadinessWaiter) async throws {
        let (spec, cloudInit) = (waiter.spec, try record(machine).cloudInit)
        let hasMounts = !spec.volumes.isEmpty && cloudInit != .none
        let hasHooks = try !spec.afterAttach.isEmpty || isCopy(machine)
        guard hasMounts || hasHooks else { return try await waiter.pass(spec.ready) }
        let booted = cloudInit == .none ? [] : [spec.endOfCloudInit]
        try await waiter.awaitWay()
        try await waiter.pass(booted)
        // A command might write where a volume is not mounted yet.
        let runsCommands = spec.ready.contains { $0.probe.runsCommand }
        guard !hasHooks, !runsCommands else {
            if hasMounts { try await requireMounts(of: machine) }
            try await runAfterClone(machine)
            try await runAfterAttach(machine)
            return try await waiter.pass(spec.ready)
        }
        // Now its services start, and a look at the mounts takes from the processor time that they need. They get a head
        // start, but no more: without its data a service may never be ready, and then the mounts tell why.
        let ready = spec.ready.filter { !booted.contains($0) }
        try await waiter.pass(ready, headStart: .seconds(2)) { try await requireMounts(of: machine) }
    }

    private func healthMark(_ machine: MachineID) -> String { state.generation(machine) + "/health.start" }

    // For how long a new machine has been waited for, by this command or one that was killed; after a restart of the host
    // it begins anew.
    private func timeInHealth(of machine: MachineID) throws -> Duration {
        let mark = healthMark(machine)
        let now = HostUptime.now
        if let began = try DurableFile.readJSON(HostUptime.self, from: mark), let spent = now.since(began) {
            return spent
        }
        try DurableFile.writeJSON(now, to: mark)
        return .zero
    }

    private func readyMark(_ machine: MachineID) -> String { state.generation(machine) + "/ready.since" }

    // The first time in a boot counts. Without it, only more time is given.
    private func markReady(_ machine: MachineID) {
        guard (try? timeReady(machine)) == nil else { return }
        try? DurableFile.writeJSON(HostUptime.now, to: readyMark(machine))
        noteReady(machine)
        if let record = try? record(machine) { nameUndone(record) }
    }

    // Ready is not the same as set up.
    private func nameUndone(_ record: GenerationRecord) {
        guard let undone = record.undone, !undone.isEmpty else { return }
        let done = record.spec.userDataKeys.filter { !undone.contains($0) }
        parts.progress(
            .note(
                "\(record.machine) is ready, but \(record.image.name):\(record.image.version) does not do all of its "
                    + "user-data; not done: \(undone.joined(separator: ", "))"
                    + (done.isEmpty ? "" : "; done: \(done.joined(separator: ", "))")
            )
        )
    }

    /// For how long a machine has been ready, as far as anybody looked; nothing where it never was in this boot, or the
    /// host has booted since.
    func timeReady(_ machine: MachineID) throws -> Duration? {
        try DurableFile.readJSON(HostUptime.self, from: readyMark(machine)).flatMap { HostUptime.now.since($0) }
    }

    private func waiter(_ machine: MachineID, ports: [Name: UInt16]) throws -> ReadinessWaiter {
        ReadinessWaiter(
            parts: parts,
            record: try record(machine),
            forwards: ports,
            console: try console(of: machine),
            isClone: isClone(machine)
        )
    }

    // MARK: - The console of this boot

    /// What the console of a machine has said since this boot began.
    func console(of machine: MachineID) throws -> ConsoleLog {
        let allow = try record(machine).spec.consoleAllow
        return ConsoleLog(path: state.consoleLog(machine), start: bootOffset(machine), allow: allow)
    }

    /// Whether the console says that the guest has booted; where it says nothing, once it was found ready.
    func hasBooted(_ machine: MachineID) -> Bool {
        (try? console(of: machine).phase) == "booted" || (try? timeReady(machine)) != nil
    }

    /// Whether no way into the guest is to come any more: a login prompt may stand on its console before its set-up has ended.
    func hasSettled(_ machine: MachineID) -> Bool {
        if (try? timeReady(machine)) != nil { return true }
        guard let console = try? console(of: machine), console.tellsOfCloudInit else { return hasBooted(machine) }
        return console.tellsOfCloudInitEnd
    }

    /// Whether neither an answer of a guest nor its console tells that its services run.
    func isStillBooting(_ machine: MachineID) async throws -> Bool {
        guard !hasBooted(machine) else { return false }
        do {
            _ = try await parts.guests.awaitWay(into: machine, within: .milliseconds(200))
            return false
        } catch let error as KilnError where error.exit != .unreachable {
            return true
        }
    }

    private func bootMark(_ machine: MachineID) -> String { state.generation(machine) + "/console.start" }

    /// Notes where the console log of the boot that is about to begin starts: what an earlier one said is no news.
    ///
    /// - Parameter isStart: false for a machine that runs on and is only looked at anew.
    func markBoot(_ machine: MachineID, isStart: Bool = true) throws {
        if isStart { try noteStart(of: machine) }
        // A boot takes its time, whatever was spent on one before.
        for mark in [healthMark(machine), readyMark(machine)] { try DurableFile.remove(mark) }
        try forgetMounts(of: machine)
        let size = try? FileManager.default.attributesOfItem(atPath: state.consoleLog(machine))[.size] as? Int
        try DurableFile.writeJSON([size ?? 0], to: bootMark(machine))
    }

    /// Where the console log of this boot begins.
    func bootOffset(_ machine: MachineID) -> UInt64 {
        let offset = (try? DurableFile.readJSON([UInt64].self, from: bootMark(machine)))?.first
        return offset ?? 0
    }

    // MARK: - Hooks

    /// Runs the `drain` hooks in a machine; one that answers no more is not waited for.
    func runDrain(_ machine: MachineID) async throws {
        let hooks = try record(machine).spec.drain
        guard !hooks.isEmpty else { return }
        do {
            _ = try await parts.guests.awaitWay(into: machine, within: .seconds(5))
        } catch let error as KilnError where error.exit != .unreachable {
            return parts.progress(.note("\(machine) is not drained, because it does not answer: \(error.message)"))
        }
        for hook in hooks {
            guard hook.isQuiet else {
                try await run(hook, "drain", in: machine)
                continue
            }
            try await quietly(machine) { try await run(hook, "drain", in: machine) }
        }
    }

    /// Runs the `after-attach` hooks in a machine.
    func runAfterAttach(_ machine: MachineID) async throws {
        for hook in try record(machine).spec.afterAttach { try await run(hook, "after-attach", in: machine) }
    }

    /// Lets a new member's application become another one than that whose data it got, once.
    private func runAfterClone(_ machine: MachineID) async throws {
        guard try isCopy(machine) else { return }
        for hook in try record(machine).spec.afterClone { try await run(hook, "after-clone", in: machine) }
        for name in try volumeNames(of: machine) {
            try await volumes.changing(lab: id.lab, name) { record in
                record.isCopy = false
                try volumes.save(record)
            }
        }
    }

    private func isCopy(_ machine: MachineID) throws -> Bool {
        try volumeNames(of: machine).contains { try volumes.record(lab: id.lab, $0)?.isCopy == true }
    }

    private func run(_ hook: Hook, _ kind: String, in machine: MachineID) async throws {
        let command = Name.quoted(hook.command.joined(separator: " "))
        parts.progress(.waiting(machine.member, machine.generation, "\(kind) hook \(command)"))
        let result: GuestCommandResult
        do {
            result = try await parts.guests.run(GuestCommand(hook.command, deadline: hook.deadline), in: machine)
        } catch let error as KilnError where error.exit != .unreachable {
            throw KilnError(
                .hookFailed,
                "the \(kind) hook \(command) in \(machine) did not end: \(error.message)",
                hint: "see what it waits for, or raise its deadline of \(hook.deadline.components.seconds) s",
                exit: .aborted
            )
        }
        guard result.status != 0 else { return }
        let said = String(decoding: (result.errors + result.output).suffix(400), as: UTF8.self)
        throw KilnError(
            .hookFailed,
            "the \(kind) hook \(command) in \(machine) ended with exit status \(result.status)",
            hint: "run it by hand: 'kiln exec \(id) -- …'",
            cause: said.isEmpty ? nil : Name.quoted(said),
            exit: .aborted
        )
    }

    // MARK: - Ports

    /// Ports of the host that no lab publishes and nobody has now, for every published port of a machine.
    func freePorts(for machine: MachineID) throws -> [Name: UInt16] {
        var taken = try PortBook.taken(in: state)
        var free: [Name: UInt16] = [:]
        for (name, spec) in try record(machine).spec.ports.sorted(by: { $0.key < $1.key }) {
            let port = try PortBook.choose(besides: taken, spec.transport, host: parts.ports)
            taken.insert(port)
            free[name] = port
        }
        return free
    }
}
