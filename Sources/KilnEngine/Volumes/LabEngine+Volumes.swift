import Foundation
import KilnModel
import KilnSystem

/// The verbs on volumes that may be attached to a machine: under the lock of the server that has the volume, so that no
/// other command starts, stops or replaces its machine meanwhile.
extension LabEngine {
    /// Gives the present state of a volume a name that it can return to; without copying, also while a machine writes to it.
    ///
    /// - Parameter snapshot: the name; nothing means the first free of `snapshot-1` and so on.
    /// - Returns: the snapshot, which says what can be relied on.
    /// - Throws: `volume.missing`, `volume.snapshot-exists`, `volume.held`, `volume.damaged`, `lock.held`.
    public func snapshotVolume(lab: Name, _ name: Name, as snapshot: Name? = nil) async throws -> VolumeSnapshot {
        try await withVolume(lab: lab, name) { record, machine in
            let snapshot = try volumes.freeName(snapshot, in: record)
            _ = try await seal(&record, machine, as: snapshot)
            await tellFormat(&record)
            return try volumes.snapshot(snapshot.text, of: record)
        }
    }

    /// Returns a volume to a snapshot; the state that it had is kept as a retained volume, whose name is returned.
    ///
    /// - Throws: `volume.attached` while a machine has it; as ``VolumeStore/restore(lab:name:to:)`` otherwise.
    public func restoreVolume(lab: Name, _ name: Name, to snapshot: String) async throws -> String {
        try await withVolume(lab: lab, name) { record, machine in
            try refuseAttached(record, machine)
            // A format that nobody has noticed yet would leave no name for the state before.
            try await volumes.noteLostMark(&record)
            return try await volumes.restore(&record, to: snapshot)
        }
    }

    /// Makes a volume of the same lab that begins with the present content of another; without copying, also while a
    /// machine writes to that.
    ///
    /// - Throws: `volume.exists`, `volume.missing`, `volume.held`, `volume.damaged`, `lock.held`.
    public func cloneVolume(lab: Name, _ name: Name, as new: Name) async throws -> ClonedVolume {
        try await withVolume(lab: lab, name) { record, machine in
            let cloned = try await clone(&record, machine, as: new, for: nil)
            await tellFormat(&record)
            return cloned
        }
    }

    /// Makes volumes of new members: each has what another one's volume has now, or had at a snapshot.
    ///
    /// That is the same state for all of them, which is sealed once. Until somebody has looked at it, it counts as one that a power
    /// failure left.
    ///
    /// - Throws: as ``cloneVolume(lab:_:as:)``; `volume.snapshot-missing`.
    func copyVolume(lab: Name, _ name: Name, as new: [Name], at snapshot: Name?) async throws -> [ClonedVolume] {
        try await withVolume(lab: lab, name) { record, machine in
            for name in new { try volumes.refuseTaken(state.volume(lab: lab, name), lab, name) }
            let origin = try snapshot.map { try volumes.snapshot($0.text, of: record) }
            let consistency =
                if let origin { origin.consistency } else { try await seal(&record, machine, as: nil) }
            var copies: [ClonedVolume] = []
            for name in new {
                let copy = try await volumes.clone(
                    record,
                    at: origin,
                    as: name,
                    isUnclean: true,
                    isCopy: true
                )
                copies.append(ClonedVolume(volume: copy, consistency: consistency))
            }
            return copies
        }
    }

    /// The same, for who holds the lock of the server that has the volume.
    func cloneLocked(
        lab: Name,
        _ name: Name,
        as new: Name,
        for rehearsal: MemberID? = nil
    ) async throws -> ClonedVolume {
        try await volumes.changing(lab: lab, name) { record in
            let machine = try await runningMachine(record)
            if let machine { try await settle(&record, machine) }
            return try await clone(&record, machine, as: new, for: rehearsal)
        }
    }

    private func clone(
        _ record: inout VolumeRecord,
        _ machine: MachineID?,
        as new: Name,
        for rehearsal: MemberID?
    ) async throws -> ClonedVolume {
        try volumes.refuseTaken(state.volume(lab: record.lab, new), record.lab, new)
        let consistency = try await seal(&record, machine, as: nil)
        let clone = try await volumes.clone(
            record,
            as: new,
            isUnclean: consistency == .crashConsistent,
            for: rehearsal
        )
        return ClonedVolume(volume: clone, consistency: consistency)
    }

    /// Checks a volume's file system; see ``VolumeStore/check(lab:name:repair:)``.
    public func checkVolume(lab: Name, _ name: Name, repair: Bool = false) async throws -> VolumeCheck {
        try await whileDetached(lab: lab, name) { try await volumes.check(lab: lab, name: name, repair: repair) }
    }

    /// Enlarges a volume; see ``VolumeStore/grow(lab:name:to:)``.
    public func growVolume(lab: Name, _ name: Name, to size: ByteCount) async throws -> VolumeRecord {
        try await whileDetached(lab: lab, name) { try await volumes.grow(lab: lab, name: name, to: size) }
    }

    /// Writes a volume's present content to a file that stands alone; that of a volume in use as a clone would have it.
    ///
    /// - Returns: what can be relied on.
    /// - Throws: `disk.exists`, `disk.full`, `volume.missing`, `volume.held`, `volume.damaged`, `lock.held`.
    public func exportVolume(
        lab: Name,
        _ name: Name,
        to file: String,
        as format: DiskFormat
    ) async throws -> VolumeSnapshot.Consistency {
        try await withVolume(lab: lab, name) { record, machine in
            guard machine != nil else {
                try volumes.proveUnheld(record)
                try volumes.adopt(&record)
                try await volumes.export(record, layer: record.layers.last ?? "", to: file, as: format)
                await tellFormat(&record)
                return record.isUnclean ? .crashConsistent : .clean
            }
            let consistency = try await seal(&record, machine, as: nil)
            try await volumes.export(record, layer: record.layers.dropLast().last ?? "", to: file, as: format)
            await tellFormat(&record)
            return consistency
        }
    }
}

extension LabEngine {
    // Who keeps the content of a formatted volume may take it for what the volume held before. It is kept all the same, since
    // that may be just what is wanted.
    private func tellFormat(_ record: inout VolumeRecord) async {
        do {
            try await volumes.noteLostMark(&record)
        } catch {
            let why = KilnError.wrapping(error).message
            return parts.progress(.note("whether a guest has formatted volume \(record.title) is unknown: \(why)"))
        }
        guard let snapshot = record.reformatted else { return }
        parts.progress(
            .note(
                "a guest has formatted volume \(record.title): this is what it holds since; what it held before: "
                    + "'kiln volume restore \(record.title) \(snapshot)' while it is not in use"
            )
        )
    }

    private static let patience = Duration.seconds(10)

    /// Seals the volumes of a machine that is about to boot again without being off in between, as those of one that is
    /// started are: its guest may format them in that boot.
    ///
    /// The caller holds the server's lock.
    func sealForReboot(_ machine: MachineID, _ workspace: ServerWorkspace) async throws {
        for name in try workspace.volumeNames(of: machine) {
            try await volumes.changing(lab: machine.member.lab, name) { record in
                guard try await runningMachine(record) == machine else { return }
                try await settle(&record, machine)
                // What can be returned to is what an earlier boot sealed.
                guard volumes.takesMoreLayers(record) else {
                    return parts.progress(
                        .note(
                            "volume \(record.title) has too many layers to be sealed before this boot; stop and start "
                                + "\(machine.member), which merges them"
                        )
                    )
                }
                let snapshot = try volumes.freeName(nil, prefix: "before-boot", in: record)
                _ = try await seal(&record, machine, as: snapshot, kind: .boot)
            }
        }
    }

    /// Puts a volume's machines, if any, in order that were left between two layers.
    func settleSwitches(of id: MemberID) async throws {
        for name in volumes.names(in: "\(state.volumes)/\(id.lab)") {
            // What can't be read is said to whoever needs it.
            guard let found = try? volumes.record(lab: id.lab, name), found.unconfirmed != nil,
                found.lease?.machine.member == id
            else { continue }
            try await volumes.changing(lab: id.lab, name) { record in
                guard let machine = try await runningMachine(record) else { return }
                try await settle(&record, machine)
            }
        }
    }

    private func whileDetached<Result>(
        lab: Name,
        _ name: Name,
        _ body: () async throws -> Result
    ) async throws -> Result {
        let lock = try await serverLock(try volumes.existing(lab: lab, name))
        defer { withExtendedLifetime(lock) {} }
        let record = try volumes.existing(lab: lab, name)
        try refuseAttached(record, try await runningMachine(record))
        return try await body()
    }

    private func withVolume<Result>(
        lab: Name,
        _ name: Name,
        _ body: (inout VolumeRecord, MachineID?) async throws -> Result
    ) async throws -> Result {
        let lock = try await serverLock(try volumes.existing(lab: lab, name))
        defer { withExtendedLifetime(lock) {} }
        return try await volumes.changing(lab: lab, name) { record in
            let machine = try await runningMachine(record)
            if let machine { try await settle(&record, machine) }
            return try await body(&record, machine)
        }
    }

    // A halted server has no machine that runs, and its volumes may be what a person has to look at.
    private func serverLock(_ record: VolumeRecord) async throws -> FileLock? {
        guard let id = record.lease?.machine.member, FileManager.default.fileExists(atPath: state.member(id)) else {
            return nil
        }
        let workspace = workspace(id)
        let lock = try workspace.lock()
        if try workspace.journal.history().halted == nil { _ = try await recoverLocked(workspace) }
        return lock
    }

    private func runningMachine(_ record: VolumeRecord) async throws -> MachineID? {
        guard let machine = record.lease?.machine, try await parts.machines.state(of: machine).isAlive else {
            return nil
        }
        return machine
    }

    private func refuseAttached(_ record: VolumeRecord, _ machine: MachineID?) throws {
        guard let machine else { return }
        throw KilnError(
            .volumeAttached,
            "volume \(record.title) is in use by \(machine)",
            hint: "stop it first: 'kiln stop \(machine.member)'; or work on a clone: "
                + "'kiln volume clone \(record.title) NAME'",
            exit: .blocked
        )
    }

    /// Seals the active layer of a volume, be it in use or not.
    private func seal(
        _ record: inout VolumeRecord,
        _ machine: MachineID?,
        as snapshot: Name?,
        kind: VolumeSnapshot.Kind = .named
    ) async throws -> VolumeSnapshot.Consistency {
        guard let machine else {
            try await volumes.sealUnheld(&record, as: snapshot, kind: kind)
            return record.isUnclean ? .crashConsistent : .clean
        }
        let copy = record
        // Frozen and not thawed, or moved and not written down, would be the worst moments for a Ctrl-C: an unstructured
        // task does not inherit the cancellation.
        let (moved, consistency) = try await Task {
            var record = copy
            let consistency = try await sealLive(&record, machine, as: snapshot, kind)
            return (record, consistency)
        }.value
        record = moved
        return consistency
    }

    private func sealLive(
        _ record: inout VolumeRecord,
        _ machine: MachineID,
        as snapshot: Name?,
        _ kind: VolumeSnapshot.Kind
    ) async throws -> VolumeSnapshot.Consistency {
        let failpoint = Failpoint()
        let sealed = record.layers.last ?? ""
        try await volumes.beginSwitch(&record)
        try failpoint?.hit("volume-switch.recorded")
        let isFrozen = await freeze(machine)
        do {
            try failpoint?.hit("volume-switch.frozen")
            let layer = volumes.path(record, record.layers.last ?? "")
            try await parts.machines.moveVolume(record.id, of: machine, to: layer)
            try failpoint?.hit("volume-switch.moved")
        } catch {
            // Whichever layer it writes to now: that is looked at, and the record follows.
            try await settle(&record, machine)
            throw error
        }
        let isThawed = await thaw(machine, attempts: isFrozen ? 3 : 1)
        let consistency: VolumeSnapshot.Consistency = isFrozen ? .quiesced : .crashConsistent
        if let snapshot {
            record.snapshots.append(
                record.snapshot(snapshot, layer: sealed, kind: kind, consistency: consistency)
            )
        }
        guard isThawed || !isFrozen else {
            // Left unconfirmed, so that the next command that changes the server tries again.
            try volumes.save(record)
            throw KilnError(
                .guestFrozen,
                "the snapshot was made, but the guest of \(machine) did not say that its file systems go on",
                hint: "try again: 'kiln recover \(machine.member)'; or end it: 'kiln stop --force \(machine.member)'",
                exit: .halted
            )
        }
        try volumes.adopt(&record)
        return consistency
    }

    /// Finds out which of two layers a running machine writes to, and makes the record say so.
    ///
    /// A process that died in between may also have left the guest frozen.
    private func settle(_ record: inout VolumeRecord, _ machine: MachineID) async throws {
        guard let below = record.unconfirmed else { return }
        // Once this is settled nobody asks any more, so one answer that got lost must not be the end of it.
        await thaw(machine, attempts: 3)
        let used = try await parts.machines.activeLayer(of: record.id, in: machine)
        switch used {
        case volumes.path(record, record.layers.last ?? ""): try volumes.adopt(&record)
        case volumes.path(record, below): try volumes.cancelSwitch(&record)
        default:
            throw KilnError(
                .volumeUnsettled,
                "\(machine) writes to \(used ?? "no layer") of volume \(record.title), expected "
                    + "\(record.layers.last ?? "") or \(below)",
                hint: "stop the machine: 'kiln stop \(machine.member)'; with it off the volume is in order",
                exit: .halted
            )
        }
    }

    private func freeze(_ machine: MachineID) async -> Bool {
        do {
            guard try await parts.machines.state(of: machine) == .running else { return false }
            try await parts.guests.freeze(machine, within: LabEngine.patience)
            return true
        } catch {
            parts.progress(
                .note("\(machine) was not asked to flush its file systems: \(KilnError.wrapping(error).message)")
            )
            return false
        }
    }

    // Also after a freeze that failed: it may have frozen something.
    @discardableResult
    private func thaw(_ machine: MachineID, attempts: Int = 1) async -> Bool {
        for _ in 0..<attempts {
            do {
                try await parts.guests.thaw(machine, within: LabEngine.patience)
                return true
            } catch {
                parts.progress(
                    .note("\(machine) did not say that its file systems go on: \(KilnError.wrapping(error).message)")
                )
            }
        }
        // One that stands still may be frozen once it goes on.
        if (try? await parts.machines.state(of: machine)) == .paused {
            try? workspace(machine.member).noteFrozen(machine)
        }
        return false
    }
}
