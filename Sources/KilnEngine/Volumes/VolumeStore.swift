import Foundation
import KilnModel
import KilnSystem

/// Creates, lends and keeps volumes.
///
/// A volume is a directory: a lock file that never moves, sealed qcow2 layers, one active layer, and `volume.json`, which
/// says which file is which. A layer that `volume.json` does not name is left over from a crash; the next change removes it.
///
/// A sealed layer never changes. So snapshots are names for layers, and a clone is a directory with further names (hard
/// links) of the same files: a layer goes when its last name does. A layer names the one below it by file name only, which
/// holds in any directory.
public struct VolumeStore: Sendable {
    let state: StateDirectory
    let disks: any DiskTool
    let holders: any HolderInspection

    /// The names of a lab's volumes, also of those whose records can't be read.
    public func names(of lab: Name) -> [Name] { names(in: "\(state.volumes)/\(lab)") }

    /// The generations that volumes are lent to, as far as records can be read.
    func lentGenerations() -> [MemberID: Set<Generation>] { notes().lent }

    /// What records tell of the servers that have volumes, as far as they can be read.
    struct Notes: Sendable {
        /// The generations that volumes are lent to.
        var lent: [MemberID: Set<Generation>] = [:]
        /// The volumes that guests are known to have formatted, each with the snapshot of what it held before.
        var reformatted: [MemberID: [Name: Name]] = [:]
    }

    /// What all records tell.
    func notes() -> Notes { notes(names(in: state.volumes)) }

    /// The same, read by several tasks.
    func notesTogether() async -> Notes {
        await withTaskGroup(of: Notes.self) { group in
            for lab in names(in: state.volumes) { group.addTask { notes([lab]) } }
            return await group.reduce(into: Notes()) { all, found in
                all.lent.merge(found.lent) { $0.union($1) }
                all.reformatted.merge(found.reformatted) { $0.merging($1) { first, _ in first } }
            }
        }
    }

    private func notes(_ labs: [Name]) -> Notes {
        // The rest of a record would take most of the time, of which 'ps' has little.
        struct Lent: Decodable {
            let lease: VolumeRecord.Lease?
            let reformatted: Name?
        }
        let all = labs.flatMap { lab in names(of: lab).map { (name: $0, path: state.volume(lab: lab, $0)) } }
        return all.reduce(into: Notes()) { notes, volume in
            let found = try? DurableFile.readJSON(Lent.self, from: volume.path + "/volume.json")
            guard let machine = found?.lease?.machine else { return }
            notes.lent[machine.member, default: []].insert(machine.generation)
            guard let snapshot = found?.reformatted else { return }
            notes.reformatted[machine.member, default: [:]][volume.name] = snapshot
        }
    }

    /// All volumes whose records can be read, and the error of each other one: a damaged volume hides no other.
    public func readableList() -> (volumes: [VolumeRecord], damaged: [any Error]) {
        var found: (volumes: [VolumeRecord], damaged: [any Error]) = ([], [])
        for lab in names(in: state.volumes) {
            for name in names(of: lab) {
                do {
                    if let record = try record(lab: lab, name) { found.volumes.append(record) }
                } catch {
                    found.damaged.append(error)
                }
            }
        }
        return found
    }

    /// What is known of a volume, or nothing where there is none.
    public func record(lab: Name, _ name: Name) throws -> VolumeRecord? {
        try DurableFile.readJSON(VolumeRecord.self, from: state.volume(lab: lab, name) + "/volume.json")
    }

    /// Whether the volume is not there yet.
    ///
    /// - Throws: `volume.differs` where one of that name is, and is another than was declared.
    func isMissing(lab: Name, _ name: Name, spec: VolumeSpec) throws -> Bool {
        guard let existing = try record(lab: lab, name) else { return true }
        guard existing.spec == spec else { throw specDiffers(existing, spec) }
        return false
    }

    /// What to say of a volume of that size; nothing where the host has so much space.
    public func remark(on size: ByteCount) -> String? {
        guard let free = FreeSpace(at: state.volumes), free.bytes < size.bytes else { return nil }
        return
            "the host has \(free.bytes >> 30) GiB free, less than \(size): a volume takes only what is written to it, and "
            + "machines pause when the host is full"
    }

    /// Makes the volume if it isn't there: formatted by the host, now and never again.
    func createIfMissing(lab: Name, _ name: Name, spec: VolumeSpec) async throws {
        guard try isMissing(lab: lab, name, spec: spec) else { return }
        try await make(lab: lab, name) { directory in
            let first = "0001.qcow2"
            let mark = VolumeMark()
            try await disks.createVolume(
                at: "\(directory)/\(first)",
                size: spec.size,
                fileSystem: spec.fileSystem,
                label: VolumeStore.label(name),
                mark: mark
            )
            try disks.giveToMachines("\(directory)/\(first)")
            return VolumeRecord(
                lab: lab,
                name: name,
                id: VolumeID(),
                spec: spec,
                created: Date(),
                layers: [first],
                lease: nil,
                leaseNumber: 0,
                mark: mark
            )
        }
    }

    /// The label of a volume's file system: an image may boot by one that is a name; none has a colon.
    static func label(_ name: Name) -> String { String("kiln:\(name)".prefix(16)) }

    /// Makes a new volume as a whole or not at all.
    ///
    /// - Parameter fill: makes the layers in the directory that it is given, and returns the record.
    @discardableResult
    func make(lab: Name, _ name: Name, _ fill: (String) async throws -> VolumeRecord) async throws -> VolumeRecord {
        let creation = try creationLock(lab)
        defer { withExtendedLifetime(creation) {} }
        let final = state.volume(lab: lab, name)
        try refuseTaken(final, lab, name)
        let temporary = "\(state.volumes)/\(lab)/.new-\(name)"
        try DurableFile.remove(temporary)
        try DurableFile.makeDirectory(temporary)
        do {
            let record = try await fill(temporary)
            try DurableFile.writeJSON(record, to: "\(temporary)/volume.json")
            try DurableFile.rename(temporary, to: final)
            return record
        } catch {
            try? DurableFile.remove(temporary)
            throw error
        }
    }

    func refuseTaken(_ directory: String, _ lab: Name, _ name: Name) throws {
        var status = stat()
        guard lstat(directory, &status) != 0 else {
            throw KilnError(
                .volumeExists,
                "there is a volume \(lab)/\(name) already",
                hint: "choose another name, or have that one retained: 'kiln volume delete \(lab)/\(name)'",
                exit: .aborted
            )
        }
    }

    /// Keeps others from making volumes in the lab, or from taking a half-made one for garbage.
    func creationLock(_ lab: Name) throws -> FileLock {
        try DurableFile.makeDirectory("\(state.volumes)/\(lab)")
        return try FileLock("\(state.volumes)/\(lab)/.lock", subject: "the volumes of lab \(lab)")
    }

    /// Removes what a killed command was making in a lab, or only tells; nothing while another one makes a volume there.
    func removeHalfMade(of lab: Name, dryRun: Bool = false) throws -> [String] {
        guard let lock = try? creationLock(lab) else { return [] }
        defer { withExtendedLifetime(lock) {} }
        let directory = "\(state.volumes)/\(lab)"
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        let found = entries.sorted().filter { $0.hasPrefix(".new-") }.map { "\(directory)/\($0)" }
        if !dryRun { try found.forEach(DurableFile.remove) }
        return found
    }

    /// The volume as a disk of a machine.
    ///
    /// - Throws: `volume.missing`, `volume.damaged`.
    func disk(lab: Name, _ name: Name) throws -> MachineSpec.Volume {
        let record = try existing(lab: lab, name)
        try verifyLayers(record)
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
        if let other = record.lease?.machine, other.member != machine.member {
            throw KilnError(
                .volumeLeased,
                "volume \(lab)/\(name) belongs to the server \(other.member), not to \(machine.member)",
                hint: "stop sharing it: a volume has one server; 'kiln down \(other.member.lab)' gives it free",
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

    // MARK: - Parts

    /// Changes a volume under its lock, after clearing up what a killed command left, as far as no machine is concerned.
    func changing<Result>(
        lab: Name,
        _ name: Name,
        _ change: (inout VolumeRecord) async throws -> Result
    ) async throws -> Result {
        let lock = try lock(lab: lab, name)
        defer { withExtendedLifetime(lock) {} }
        var record = try existing(lab: lab, name)
        try finishRestoration(record)
        try removeUnnamedLayers(record)
        return try await change(&record)
    }

    func path(_ record: VolumeRecord, _ layer: String) -> String {
        "\(state.volume(lab: record.lab, record.name))/\(layer)"
    }

    func lock(lab: Name, _ name: Name) throws -> FileLock {
        _ = try existing(lab: lab, name)
        return try FileLock(state.volume(lab: lab, name) + "/lock", subject: "volume \(lab)/\(name)")
    }

    func save(_ record: VolumeRecord) throws {
        try DurableFile.writeJSON(record, to: state.volume(lab: record.lab, record.name) + "/volume.json")
    }

    /// What is known of a volume that has to be there.
    ///
    /// - Throws: `volume.missing`, with the nearest name.
    public func existing(lab: Name, _ name: Name) throws -> VolumeRecord {
        if let record = try record(lab: lab, name) { return record }
        let known = names(in: state.volumes).flatMap { lab in
            names(of: lab).map { "\(lab)/\($0)" }
        }
        throw KilnError(
            .volumeMissing,
            "there is no volume \(lab)/\(name)\(Suggestion.text(for: "\(lab)/\(name)", among: known))",
            hint: "list them with 'kiln volume list'",
            exit: .aborted
        )
    }

    func names(in directory: String) -> [Name] {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return entries.compactMap { try? Name($0) }.sorted()
    }

    private func specDiffers(_ existing: VolumeRecord, _ spec: VolumeSpec) -> KilnError {
        let grow = "'kiln volume grow \(existing.title) \(spec.size)' enlarges it while it is not in use"
        let hint =
            existing.spec.fileSystem != spec.fileSystem
            ? "a volume is never made anew: put the old file system back, or choose another name"
            : existing.spec.size < spec.size
                ? "write 'size: \(existing.spec.size)' into the lab file, or \(grow)"
                : "a volume never shrinks: write 'size: \(existing.spec.size)' into the lab file, or choose another name"
        return KilnError(
            .volumeDiffers,
            "volume \(existing.title) has \(existing.spec.size), \(existing.spec.fileSystem.rawValue); "
                + "the lab file says \(spec.size), \(spec.fileSystem.rawValue)",
            hint: hint,
            exit: .aborted
        )
    }
}
