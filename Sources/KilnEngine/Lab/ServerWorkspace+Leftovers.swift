import Foundation
import KilnModel
import KilnSystem

/// What a machine leaves behind, and what becomes of it.
extension ServerWorkspace {
    /// Takes the seed out of a machine that has been ready, and deletes it: it holds secrets.
    ///
    /// Not before what its first boot made of the seed is on its disks: a machine that lost its power then would come back as
    /// one that has been set up, but with empty files, and no seed to do it again. A machine that forgets its root keeps it,
    /// because each of its boots is a first one.
    /// - Throws: as ``awaitWrittenBack(_:)``; it keeps the seed then, which its next boot may need.
    func dropSeed(_ machine: MachineID) async throws {
        guard try !record(machine).hasVolatileRoot else { return }
        let seed = state.seed(machine)
        guard FileManager.default.fileExists(atPath: seed) else { return }
        // Beside each other, since the guest takes its time for both; the file goes last, so that a machine that loses its
        // power in here gets its seed once more.
        async let writing = awaitWrittenBack(machine)
        do {
            try await parts.machines.detachSeed(machine, path: seed)
        } catch let error as KilnError where error.exit != .unreachable {
            if try await hasJustEnded(machine) { throw lostPower(machine) }
            throw error
        }
        try await writing
        try DurableFile.remove(seed)
    }

    /// Waits until a machine that has been ready has what it wrote before on its disks.
    ///
    /// Its guest is asked; where no agent answers, it is given the time after which every kernel does so by itself.
    /// - Throws: `machine.lost-power` where it ended meanwhile; `machine.paused` where it stands still, writes nothing and serves
    ///   nobody.
    func awaitWrittenBack(_ machine: MachineID) async throws {
        if try record(machine).hasVolatileRoot { return }
        if await syncs(machine) { return }
        // Where nobody has seen it become ready, it may have done so just now.
        let left = parts.writeBack - (try timeReady(machine) ?? .zero)
        if left > .zero {
            let purpose = "its kernel to write what its boot made (\(left.components.seconds + 1) s)"
            parts.progress(.waiting(machine.member, machine.generation, purpose))
            // That time is all there is to wait for: nothing tells of a guest's writes, or of the last of them.
            if try await parts.machines.waitUntilOff(machine, within: left) { throw lostPower(machine) }
        }
        if try await hasJustEnded(machine) { throw lostPower(machine) }
        let found = try await parts.machines.state(of: machine)
        if found != .running { throw standsStill(machine, found) }
    }

    private func standsStill(_ machine: MachineID, _ found: MachineState) -> KilnError {
        KilnError(
            .machinePaused,
            "\(machine) should run and write what its boot made, but is \(found.rawValue)"
                + (found == .paused
                    ? ": a write error pauses a machine, such as for want of free space on the host" : ""),
            hint: "free some space, for example with 'kiln gc', then let it go on: 'kiln start \(id)'",
            exit: .blocked
        )
    }

    // The hypervisor may not have noticed yet that its process is gone.
    private func hasJustEnded(_ machine: MachineID) async throws -> Bool {
        try await parts.machines.waitUntilOff(machine, within: .seconds(1))
    }

    private func lostPower(_ machine: MachineID) -> KilnError {
        KilnError(
            Self.lostPower,
            "\(machine) ended before it had written what its first boot made\(parts.machines.ending(of: machine))",
            hint: "start it once more: 'kiln recover \(id)'",
            exit: .aborted
        )
    }

    private func syncs(_ machine: MachineID) async -> Bool {
        do {
            return try await parts.guests.run(GuestCommand(["sync"], deadline: .seconds(30)), in: machine).status == 0
        } catch {
            parts.progress(
                .note("\(machine) was not asked to write to its disks: \(KilnError.wrapping(error).message)")
            )
            return false
        }
    }

    static let lostPower = ErrorCode.machineLostPower

    /// Removes what a machine that is off was made of; its record and console log stay with the server.
    func remove(_ machine: MachineID) async throws {
        try await undefine(machine)
        let made = [state.rootOverlay(machine), state.seed(machine), state.access(machine), state.ownPorts(machine)]
        for path in made + drafts(of: machine) { try DurableFile.remove(path) }
        await unplug(machine)
        try removeSockets(machine)
    }

    /// Where its disks are while they are made; a killed process leaves them, secrets included.
    func drafts(of machine: MachineID) -> [String] {
        [state.rootOverlay(machine), state.seed(machine)].map { $0 + ".making" }
    }

    /// Removes a machine that is off, but keeps its root to be looked at, and only so many of those that went before it.
    ///
    /// A root holds what user-data put there: nobody but its owner may read it, and it goes into no report.
    func retire(_ machine: MachineID, keeping count: Int, serving: MachineID) async throws {
        try await undefine(machine)
        let made = [state.seed(machine), state.access(machine), state.ownPorts(machine)]
        for path in made + drafts(of: machine) { try DurableFile.remove(path) }
        await unplug(machine)
        try removeSockets(machine)
        let root = state.rootOverlay(machine)
        if FileManager.default.fileExists(atPath: root), chmod(root, 0o600) != 0 || chown(root, getuid(), getgid()) != 0
        {
            throw DurableFile.failure("chmod", root)
        }
        for old in try rootsBeyond(count, serving: serving.generation) {
            try DurableFile.remove(state.rootOverlay(old))
        }
    }

    /// The past generations whose roots are still there though newer ones are enough, by the rule of how many to keep; those
    /// with data that a volume hid stay.
    func rootsBeyond(_ count: Int, serving: Generation?) throws -> [MachineID] {
        let past = (1..<(try journal.history().highest + 1)).reversed().filter { $0 != serving?.number }
            .map { id.machine(Generation($0)) }
            .filter { FileManager.default.fileExists(atPath: state.rootOverlay($0)) && !isKeptForHiddenData($0) }
        return Array(past.dropFirst(count))
    }

    private func driftReport(_ machine: MachineID) -> String { state.generation(machine) + "/drift.json" }

    /// Whether the drift of a machine was measured after its end.
    func hasDriftReport(_ machine: MachineID) -> Bool {
        FileManager.default.fileExists(atPath: driftReport(machine))
    }

    /// What was measured after the end of a machine, if it was.
    func keptDriftReport(_ machine: MachineID) throws -> DriftReport? {
        try DurableFile.readJSON(DriftReport.self, from: driftReport(machine))
    }

    /// Keeps what was measured after the end of a machine.
    func keepDriftReport(_ report: DriftReport, of machine: MachineID) throws {
        try DurableFile.writeJSON(report, to: driftReport(machine), mode: 0o600)
    }

    /// Copies what helps to understand a failure to the evidence directory, whose path is returned.
    ///
    /// The generation's record is not among it, since user-data may hold secrets.
    func keepEvidence(_ machine: MachineID) async throws -> String {
        let stamp = UInt64(Date().timeIntervalSince1970)
        let directory = "\(state.evidence)/\(id.lab).\(id.server).\(machine.generation)-\(stamp)"
        try DurableFile.makeDirectory(directory)
        if let xml = try? await parts.machines.definition(of: machine) {
            try DurableFile.write(Data(xml.utf8), to: directory + "/domain.xml")
        }
        for (source, name) in [
            (state.consoleLog(machine), "console.log"), (state.member(id) + "/journal", "journal"),
        ] where FileManager.default.fileExists(atPath: source) {
            try DurableFile.write(
                try Data(contentsOf: URL(fileURLWithPath: source)),
                to: "\(directory)/\(name)",
                mode: 0o640
            )
        }
        // Why a machine's process ended, nobody but the process may have said.
        if let path = try? parts.machines.processLog(of: machine), let log = FileTail.read(path, atMost: 256 << 10) {
            try DurableFile.write(log, to: directory + "/qemu.log", mode: 0o640)
        }
        // What this process asked of the hypervisor and of the guest: this is how a fault on a host gets understood.
        try? DurableFile.write(Data(Trace.text.utf8), to: directory + "/trace.log", mode: 0o600)
        return directory
    }

    func removeSockets(_ machine: MachineID) throws {
        for path in state.sockets(of: machine) { try DurableFile.remove(path) }
    }
}
