import Foundation
import KilnModel
import KilnStore
import KilnSystem

extension LabEngine {
    /// Shuts a server down; its machine, volumes and ports stay its own.
    ///
    /// - Parameter force: whether to end the machine without asking the guest. What the guest had not flushed is lost.
    /// - Throws: `stop.timeout` where the guest ignores the request; it runs on then.
    public func stop(_ id: MemberID, force: Bool = false) async throws {
        let workspace = try existing(id)
        let lock = try workspace.lock()
        defer { withExtendedLifetime(lock) {} }
        _ = try await recoverLocked(workspace, leavingNew: force)
        let machine = try machine(id)
        try workspace.journal.append(.power(on: false))
        guard try await parts.machines.state(of: machine).isAlive else { return }
        try await workspace.takingOut(machine, patiently: !force) {
            if force { return try await workspace.cutPower(of: machine) }
            try await workspace.shutDown(machine)
        }
    }

    /// Starts a server that is off and waits until it is ready; the same generation, without its seed.
    ///
    /// - Returns: how often its machine was booted again because its kernel crashed before init.
    @discardableResult
    public func start(_ id: MemberID) async throws -> Int {
        let workspace = try existing(id)
        let lock = try workspace.lock()
        defer { withExtendedLifetime(lock) {} }
        _ = try await recoverLocked(workspace)
        return try await startLocked(workspace)
    }

    /// Restarts a server's guest and waits until it is ready: the same generation, the same machine, without its seed.
    ///
    /// What its volumes hold is sealed first, while it runs: a guest may format them at each of its boots.
    ///
    /// - Throws: `stop.timeout` where the guest does not restart; what keeps a guest that did from being ready;
    ///   `volume.reformatted`, and what keeps volumes from being sealed.
    /// - Returns: how often its machine was booted again because its kernel crashed before init.
    @discardableResult
    public func reboot(_ id: MemberID) async throws -> Int {
        let workspace = try existing(id)
        let lock = try workspace.lock()
        defer { withExtendedLifetime(lock) {} }
        _ = try await recoverLocked(workspace)
        let machine = try machine(id)
        try await workspace.requireMarks(of: machine)
        let before = try await workspace.bootID(of: machine)
        try await sealForReboot(machine, workspace)
        try await workspace.takingOut(machine, patiently: true) {
            try workspace.markBoot(machine)
            try await parts.machines.reboot(machine)
        }
        do {
            try await workspace.awaitBoot(of: machine, after: before)
        } catch let error as KilnError where error.code == .stopTimeout {
            // It runs on as it did.
            await workspace.putBack(machine)
            throw error
        } catch {
            await Task { await workspace.tellWaiting(machine) }.value
            throw error
        }
        let restarts = try await awaitReady(machine, workspace)
        try await workspace.requireMarks(of: machine)
        return restarts
    }

    // An operation counts the restarts of its steps; that of a machine which serves already has ended.
    private func awaitReady(_ machine: MachineID, _ workspace: ServerWorkspace) async throws -> Int {
        let restarts: Int
        do {
            restarts = try await workspace.survivingCrash(of: machine) { try await workspace.awaitServing(machine) }
        } catch {
            // Also where the command was interrupted: an unstructured task does not inherit the cancellation.
            await Task { await workspace.tellWaiting(machine) }.value
            throw error
        }
        if restarts > 0 { try workspace.journal.append(.power(on: true, restarts: restarts)) }
        return restarts
    }

    @discardableResult
    func startLocked(_ workspace: ServerWorkspace) async throws -> Int {
        let machine = try machine(workspace.id)
        let record = try workspace.record(machine)
        let reference = ImageReference(name: record.image.name, selector: .digest(record.image.digest))
        _ = try await parts.images.verifiedImage(reference, for: .existing)
        try await workspace.requireMarks(of: machine)
        try workspace.journal.append(.power(on: true))
        let begin = ContinuousClock.now
        parts.progress(.began(workspace.id, machine.generation, .start))
        try await workspace.start(machine)
        let restarts = try await awaitReady(machine, workspace)
        try await workspace.dropSeed(machine)
        try await workspace.requireMarks(of: machine)
        let milliseconds = Int((ContinuousClock.now - begin) / .milliseconds(1))
        parts.progress(.finished(workspace.id, machine.generation, .start, milliseconds: milliseconds))
        return restarts
    }

    /// Takes a lab down: its machines, overlays, seeds, sockets, ports and journals go; images and volumes stay.
    ///
    /// A guest that ignores the request to shut down is switched off.
    public func down(_ lab: Name) async throws {
        guard FileManager.default.fileExists(atPath: state.lab(lab)) else {
            throw KilnError(
                .labMissing,
                "there is no lab \(lab)",
                hint: "list the labs with 'kiln ps'",
                exit: .usage
            )
        }
        let rollouts = try await lockOutOthers(lab)
        // Only now: nobody lets members come any more.
        let all = try members().filter { $0.lab == lab }
        let wanted = all.filter { !isRehearsal($0) }
        let locks = try wanted.map { try workspace($0).lock() }
        defer { withExtendedLifetime((rollouts, locks)) {} }
        for id in all where isRehearsal(id) { try await discardRehearsal(id) }
        // The first member's place holds those of the others, so it goes last.
        for id in wanted.reversed() { try await remove(workspace(id)) }
        for network in try networks(of: lab) { try await parts.networks.end(network) }
        try DurableFile.remove(state.lab(lab))
    }

    // A rollout has the lock of no member between one and the next, and who lets members come has none before they are there.
    private func lockOutOthers(_ lab: Name) async throws -> [FileLock] {
        let servers = try Set(members().filter { $0.lab == lab && !isRehearsal($0) }.map(\.whole))
        var locks: [FileLock] = []
        for server in servers.sorted() { locks.append(try await RolloutFiles(server: server, state: state).lock()) }
        return locks
    }

    /// Ends and removes all machines of a member, and forgets it; its volumes stay.
    func remove(_ workspace: ServerWorkspace) async throws {
        await workspace.leaveFront()
        var known: Set<MachineID> = []
        let states = try await parts.machines.machines()
        for machine in states.keys where machine.member == workspace.id {
            if try await isOurs(machine) { known.insert(machine) }
        }
        let directory = state.member(workspace.id) + "/generations"
        let made = ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? [])
            .compactMap(Int.init).map { workspace.id.machine(Generation($0)) }
        for machine in known.union(made) {
            let begin = ContinuousClock.now
            // Of what was off already there is only something to be cleared away.
            let isOn = states[machine]?.isAlive == true
            if isOn { parts.progress(.began(workspace.id, machine.generation, .stop)) }
            try await endMachine(machine, workspace)
            try await workspace.remove(machine)
            let milliseconds = Int((ContinuousClock.now - begin) / .milliseconds(1))
            if isOn { parts.progress(.finished(workspace.id, machine.generation, .stop, milliseconds: milliseconds)) }
        }
        // By what the volumes say: of a machine that got one nothing else may be left.
        for volume in volumes.readableList().volumes {
            guard let machine = volume.lease?.machine, machine.member == workspace.id else { continue }
            try volumes.release(lab: volume.lab, volume.name, from: machine)
        }
        try forget(workspace.id)
    }

    // At once: of a server whose journal is gone, but not all that it tells of, nobody could say what it is.
    private func forget(_ id: MemberID) throws {
        let name = (state.member(id) as NSString).lastPathComponent
        let forgotten = "\(DurableFile.directory(of: state.member(id)))/\(StateDirectory.forgotten)\(name)"
        try DurableFile.remove(forgotten)
        try DurableFile.rename(state.member(id), to: forgotten)
        try DurableFile.remove(forgotten)
    }

    private func endMachine(_ machine: MachineID, _ workspace: ServerWorkspace) async throws {
        guard try await parts.machines.state(of: machine).isAlive, try await !workspace.isForeign(machine) else {
            return
        }
        guard (try? workspace.record(machine)) != nil else { return try await parts.machines.powerOff(machine) }
        try await workspace.shutDownOrPowerOff(machine)
        try await workspace.proveOff(machine)
    }
}
