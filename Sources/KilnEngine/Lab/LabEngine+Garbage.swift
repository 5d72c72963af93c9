import Foundation
import KilnModel
import KilnSystem

extension LabEngine {
    /// Removes what no server, no open operation and no running machine needs: machines whose server is gone, overlays
    /// and seeds of generations that do not serve, sockets without a machine, half-made volumes, labs of killed runs.
    ///
    /// Never touches images, evidence, or a server that another command is changing; the volumes of a killed run are
    /// retained, and all others left where they are.
    /// - Parameter dryRun: whether to tell only.
    /// - Returns: what was removed, or would be, a line each.
    public func collectGarbage(dryRun: Bool = false) async throws -> [String] {
        var removed = try await removeAbandonedRuns(dryRun: dryRun)
        let machines = try await parts.machines.machines()
        let known = Set(try members())
        for machine in machines.keys where !known.contains(machine.member) {
            guard try await isOurs(machine) else { continue }
            removed.append("machine \(machine)")
            if !dryRun { try await end(machine) }
        }
        let lent = volumes.lentGenerations()
        let rehearsals = known.filter(isRehearsal)
        for id in rehearsals.sorted() { removed += try await rehearsalLeftover(id, dryRun: dryRun) }
        for id in known.subtracting(rehearsals).sorted() {
            removed += try await leftovers(of: id, lent, dryRun: dryRun)
        }
        removed += try await parts.networks.endAbandoned(dryRun: dryRun) { Set(try networks()) }
        for lab in entries(state.volumes).compactMap({ try? Name($0) }) {
            removed += try volumes.removeHalfMade(of: lab, dryRun: dryRun)
        }
        removed += await removeAbandonedFronts(dryRun: dryRun)
        removed += try await removeStaleTemplates(dryRun: dryRun)
        for path in try await abandonedFiles() where !removed.contains(path) {
            removed.append(path)
            if !dryRun { try DurableFile.remove(path) }
        }
        return removed + parts.roots.removeAbandoned(dryRun: dryRun)
    }

    // One hypervisor may serve several state directories; the overlay tells whose the machine is.
    func isOurs(_ machine: MachineID) async throws -> Bool {
        let overlay = state.rootOverlay(machine)
        // The directory may have been named otherwise when the machine was made.
        return try await parts.machines.disks(of: machine).contains { FileIdentity.areSame($0, overlay) }
    }

    private func end(_ machine: MachineID) async throws {
        try await parts.machines.powerOff(machine)
        try await parts.machines.undefine(machine)
    }

    private func rehearsalLeftover(_ id: MemberID, dryRun: Bool) async throws -> [String] {
        do {
            if !dryRun { try await discardAbandonedRehearsal(id) }
            return ["rehearsal \(id)"]
        } catch let error as KilnError where error.code == .lockHeld {
            return []
        }
    }

    // Under the server's lock, so that nothing of a running replacement is taken for garbage.
    private func leftovers(
        of id: MemberID,
        _ lent: [MemberID: Set<Generation>],
        dryRun: Bool
    ) async throws -> [String] {
        // What was taken down meanwhile would be made again by its lock.
        guard let workspace = try? existing(id), let lock = try? workspace.lock() else { return [] }
        defer { withExtendedLifetime(lock) {} }
        // What is known of it would be needed to tell what is garbage; it keeps no other server's garbage.
        guard let history = try? workspace.history(lent: lent) else {
            parts.progress(.note("\(id) is left alone: its journal can't be read"))
            return []
        }
        guard history.open == nil, history.halted == nil else { return [] }
        var removed: [String] = []
        let kept = try keptRoots(workspace, history)
        for number in 1..<(history.highest + 1) where history.current?.number != number {
            let machine = id.machine(Generation(number))
            guard try await !parts.machines.state(of: machine).isAlive, !kept.contains(machine) else { continue }
            let paths = [state.rootOverlay(machine), state.seed(machine)] + workspace.drafts(of: machine)
            removed += paths.filter { FileManager.default.fileExists(atPath: $0) }
            if !dryRun { try await workspace.remove(machine) }
        }
        return removed
    }

    private func keptRoots(_ workspace: ServerWorkspace, _ history: ServerHistory) throws -> Set<MachineID> {
        let current = history.current
        // Of a server that never served only what volumes hid is kept.
        let count = try current.map { try workspace.record(workspace.id.machine($0)).spec.keepRoots } ?? 0
        let all = Set((1..<(history.highest + 1)).map { workspace.id.machine(Generation($0)) })
        return try all.subtracting(workspace.rootsBeyond(count, serving: current))
            .filter { FileManager.default.fileExists(atPath: state.rootOverlay($0)) }
    }

    private func abandonedFiles() async throws -> [String] {
        // In this order: a socket that is there now belongs to a machine that was defined before, or a network of a lab that
        // was written down.
        let present = entries(state.sockets).map { "\(state.sockets)/\($0)" }
        let networks = try networks()
        let machines = try await parts.machines.machines().keys
        let needed = machines.flatMap(state.sockets(of:))
        let cards = networks.flatMap { network in
            machines.filter { $0.member.lab == network.lab }.flatMap { machine in
                [state.cardSocket(machine, on: network.network), state.portSocket(machine, on: network.network)]
            }
        }
        let switches = networks.flatMap { [state.switchSocket($0), state.switchTable($0)] }
        let fronts = try fronted().map(state.frontBase)
        let kept = Set(needed + cards + switches)
        let sockets = present.filter { path in
            !kept.contains(path) && !fronts.contains { path.hasPrefix($0 + ".front") }
        }
        let emptyLabs = entries(state.labs).map { "\(state.labs)/\($0)" }.filter { path in
            (try? FileManager.default.contentsOfDirectory(atPath: path + "/servers"))?.isEmpty == true
        }
        let servers = entries(state.labs).map { "\(state.labs)/\($0)/servers" }
        let members = servers.flatMap { servers in entries(servers).map { "\(servers)/\($0)/members" } }
        let forgotten = (servers + members).flatMap { place in
            entries(place).filter { $0.hasPrefix(StateDirectory.forgotten) }.map { "\(place)/\($0)" }
        }
        return sockets + forgotten + emptyLabs
    }

    // One that can't be ended keeps nothing else from being removed.
    private func removeAbandonedFronts(dryRun: Bool) async -> [String] {
        do {
            return try await parts.fronts.endAbandoned(dryRun: dryRun) { Set(try fronted()) }
        } catch {
            parts.progress(.note("a front that nobody needs is left: \(KilnError.wrapping(error).message)"))
            return []
        }
    }

    private func fronted() throws -> [ServerID] {
        try Set(members().map(\.whole)).sorted().filter { FileManager.default.fileExists(atPath: state.frontPlan($0)) }
    }

    private func entries(_ directory: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []).sorted()
    }
}
