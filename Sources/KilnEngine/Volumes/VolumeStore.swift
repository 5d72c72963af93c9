import Foundation
import KilnModel

/// Creates, lends and keeps volumes.
///
/// A volume is a directory: a lock file that never moves, sealed qcow2 layers, one active layer, and `volume.json`, which
/// says which file is which. A layer that `volume.json` does not name is left over from a crash; the next seal removes it.
public struct VolumeStore: Sendable {
    let state: StateDirectory
    let disks: any DiskTool
    let holders: any HolderInspection
    // A longer chain makes reads slower; the layers of past replacements are merged when it gets that long.
    private let mostLayers = 8

    /// All volumes, by lab and name.
    public func list() throws -> [VolumeRecord] {
        try names(in: state.volumes).flatMap { lab in
            try names(in: "\(state.volumes)/\(lab)").compactMap { try record(lab: lab, $0) }
        }
    }

    /// What is known of a volume, or nothing where there is none.
    public func record(lab: Name, _ name: Name) throws -> VolumeRecord? {
        try DurableFile.readJSON(VolumeRecord.self, from: state.volume(lab: lab, name) + "/volume.json")
    }

    /// Makes the volume if it isn't there: formatted by the host, now and never again.
    func createIfMissing(lab: Name, _ name: Name, spec: VolumeSpec) async throws {
        if let existing = try record(lab: lab, name) {
            guard existing.spec == spec else { throw specDiffers(existing, spec) }
            return
        }
        let creation = try creationLock(lab)
        defer { withExtendedLifetime(creation) {} }
        let final = state.volume(lab: lab, name)
        let temporary = "\(state.volumes)/\(lab)/.new-\(name)"
        try DurableFile.remove(temporary)
        try DurableFile.makeDirectory(temporary)
        do {
            let first = "0001.qcow2"
            try await disks.createVolume(
                at: "\(temporary)/\(first)",
                size: spec.size,
                fileSystem: spec.fileSystem,
                label: String(name.text.prefix(16))
            )
            try disks.giveToMachines("\(temporary)/\(first)")
            let record = VolumeRecord(
                lab: lab,
                name: name,
                id: VolumeID(),
                spec: spec,
                created: Date(),
                layers: [first],
                lease: nil,
                leaseNumber: 0
            )
            try DurableFile.writeJSON(record, to: "\(temporary)/volume.json")
            try DurableFile.rename(temporary, to: final)
        } catch {
            try? DurableFile.remove(temporary)
            throw error
        }
    }

    /// Keeps others from making volumes in the lab, or from taking a half-made one for garbage.
    func creationLock(_ lab: Name) throws -> FileLock {
        try DurableFile.makeDirectory("\(state.volumes)/\(lab)")
        return try FileLock("\(state.volumes)/\(lab)/.lock", subject: "the volumes of lab \(lab)")
    }

    /// The volume as a disk of a machine.
    func disk(lab: Name, _ name: Name) throws -> MachineSpec.Volume {
        let record = try existing(lab: lab, name)
        let paths = record.layers.map { path(record, $0) }
        return MachineSpec.Volume(
            id: record.id,
            disk: MachineSpec.Disk(path: paths.last ?? "", backing: paths.dropLast().reversed())
        )
    }

    /// Passes the lease to a machine; refuses if a machine of another server has it.
    func lend(lab: Name, _ name: Name, to machine: MachineID) throws {
        let lock = try lock(lab: lab, name)
        defer { withExtendedLifetime(lock) {} }
        var record = try existing(lab: lab, name)
        if record.lease?.machine == machine { return }
        if let other = record.lease?.machine, other.server != machine.server {
            throw KilnError(
                "volume.leased",
                "volume \(lab)/\(name) belongs to the server \(other.server), not to \(machine.server)",
                hint: "stop sharing it: a volume has one server; 'kiln down \(other.server.lab)' gives it free",
                exit: .blocked
            )
        }
        record.leaseNumber += 1
        record.lease = VolumeRecord.Lease(machine: machine, number: record.leaseNumber)
        try save(record)
    }

    /// Gives the lease back, if the machine has it.
    func release(lab: Name, _ name: Name, from machine: MachineID) throws {
        let lock = try lock(lab: lab, name)
        defer { withExtendedLifetime(lock) {} }
        guard var record = try record(lab: lab, name), record.lease?.machine == machine else { return }
        record.lease = nil
        try save(record)
    }

    /// Seals the active layer and puts a new one on top, so that the state of now can be returned to.
    ///
    /// - Parameter mark: names the new layer; a second call with the same mark does nothing.
    func seal(lab: Name, _ name: Name, mark: String) async throws {
        let lock = try lock(lab: lab, name)
        defer { withExtendedLifetime(lock) {} }
        var record = try existing(lab: lab, name)
        let layer = "\(mark).qcow2"
        guard let active = record.layers.last, !record.layers.contains(layer) else { return try protect(record) }
        try proveUnheld(record)
        if record.layers.count >= mostLayers { try await mergeUpperLayers(&record) }
        let below = record.layers.last ?? active
        try removeUnnamedLayers(record)
        try await disks.createLayer(at: path(record, layer), over: below)
        try disks.giveToMachines(path(record, layer))
        record.layers.append(layer)
        try save(record)
        try protect(record)
    }

    private func removeUnnamedLayers(_ record: VolumeRecord) throws {
        let directory = state.volume(lab: record.lab, record.name)
        for file in (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        where file.hasSuffix(".qcow2") && !record.layers.contains(file) {
            try DurableFile.remove("\(directory)/\(file)")
        }
    }

    // After the record: until that names the new layer, the old one is what machines write to.
    private func protect(_ record: VolumeRecord) throws {
        for sealed in record.layers.dropLast() where chmod(path(record, sealed), 0o444) != 0 {
            throw DurableFile.failure("chmod", path(record, sealed))
        }
    }

    /// Throws `volume.held` unless nothing has the volume open and a lock that excludes every QEMU can be taken.
    func proveUnheld(lab: Name, _ name: Name) throws { try proveUnheld(try existing(lab: lab, name)) }

    /// Moves a volume that nobody uses out of its lab, to where `retained()` lists it.
    ///
    /// - Throws: `volume.missing`, `volume.leased`, `volume.held`.
    public func retain(lab: Name, _ name: Name) throws -> String {
        let lock = try lock(lab: lab, name)
        defer { withExtendedLifetime(lock) {} }
        let record = try existing(lab: lab, name)
        if let holder = record.lease?.machine {
            throw KilnError(
                "volume.leased",
                "volume \(lab)/\(name) is attached to \(holder)",
                hint: "take its lab down first: 'kiln down \(lab)'",
                exit: .blocked
            )
        }
        try proveUnheld(record)
        let stamp = UInt64(Date().timeIntervalSince1970)
        let kept = "\(lab).\(name).\(stamp)"
        try DurableFile.makeDirectory(state.retained)
        try DurableFile.rename(state.volume(lab: lab, name), to: "\(state.retained)/\(kept)")
        try DurableFile.synchronizeDirectory(of: state.volume(lab: lab, name))
        return kept
    }

    /// The volumes that were deleted but are still kept, by the names that ``purge(_:)`` takes.
    public func retained() throws -> [String] {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: state.retained)) ?? []
        return entries.filter { !$0.hasPrefix(".") }.sorted()
    }

    /// Removes a retained volume for good.
    public func purge(_ kept: String) throws {
        guard try retained().contains(kept) else {
            throw KilnError(
                "volume.missing",
                "\(Name.quoted(kept)) is not a retained volume",
                hint: "list them with 'kiln volume list'",
                exit: .usage
            )
        }
        try DurableFile.remove("\(state.retained)/\(kept)")
    }

    // MARK: - Parts

    private func names(in directory: String) throws -> [Name] {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return entries.compactMap { try? Name($0) }.sorted()
    }

    private func path(_ record: VolumeRecord, _ layer: String) -> String {
        "\(state.volume(lab: record.lab, record.name))/\(layer)"
    }

    private func lock(lab: Name, _ name: Name) throws -> FileLock {
        _ = try existing(lab: lab, name)
        return try FileLock(state.volume(lab: lab, name) + "/lock", subject: "volume \(lab)/\(name)")
    }

    private func save(_ record: VolumeRecord) throws {
        try DurableFile.writeJSON(record, to: state.volume(lab: record.lab, record.name) + "/volume.json")
    }

    private func existing(lab: Name, _ name: Name) throws -> VolumeRecord {
        guard let record = try record(lab: lab, name) else {
            throw KilnError(
                "volume.missing",
                "there is no volume \(lab)/\(name)",
                hint: "list them with 'kiln volume list'",
                exit: .aborted
            )
        }
        return record
    }

    private func proveUnheld(_ record: VolumeRecord) throws {
        guard let active = record.layers.last.map({ path(record, $0) }) else { return }
        try refuseOddFile(active, record)
        let holding = try holders.holders(of: active)
        guard holding.isEmpty, try holders.isLockObtainable(active) else {
            let named =
                holding.isEmpty
                ? "a process that can't be seen from here" : "\(holding.map(\.description).joined(separator: ", "))"
            throw KilnError(
                "volume.held",
                "volume \(record.lab)/\(record.name) is in use by \(named)",
                hint: "end that process; a volume is never taken from its holder by force",
                exit: .blocked
            )
        }
    }

    private func refuseOddFile(_ active: String, _ record: VolumeRecord) throws {
        var status = stat()
        guard lstat(active, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw KilnError(
                "volume.damaged",
                "the active layer of volume \(record.lab)/\(record.name) is not a regular file: \(active)",
                hint: "put the file back; Kiln follows no links and makes no new file in its place",
                exit: .halted
            )
        }
    }

    // What the upper layers hold is written down into the second layer; the lowest stays as it is. Each merge leaves the
    // content of the chain as it was, so it can be cut off anywhere and done again.
    private func mergeUpperLayers(_ record: inout VolumeRecord) async throws {
        while record.layers.count > 2, let top = record.layers.last {
            let below = path(record, record.layers[record.layers.count - 2])
            guard chmod(below, 0o644) == 0 else { throw DurableFile.failure("chmod", below) }
            try await disks.merge(path(record, top))
            record.layers.removeLast()
            try save(record)
            try DurableFile.remove(path(record, top))
        }
    }

    private func specDiffers(_ existing: VolumeRecord, _ spec: VolumeSpec) -> KilnError {
        KilnError(
            "volume.differs",
            "volume \(existing.lab)/\(existing.name) has \(existing.spec.size), \(existing.spec.fileSystem.rawValue); "
                + "the lab file says \(spec.size), \(spec.fileSystem.rawValue)",
            hint: "a volume is never made anew: put the old values back, or choose another name",
            exit: .aborted
        )
    }
}
