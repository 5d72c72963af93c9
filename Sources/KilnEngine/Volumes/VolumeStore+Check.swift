import Foundation
import KilnModel

/// What a check of a volume's file system found.
public struct VolumeCheck: Sendable, Hashable {
    /// The volume.
    public let lab: Name
    /// The volume.
    public let name: Name
    /// What was found.
    public let finding: FileSystemFinding
    /// The snapshot that keeps the state before the repair; nothing where nothing was repaired.
    public let repaired: VolumeSnapshot?
}

extension VolumeStore {
    /// Checks the file system of a volume that nobody has open, on a private copy and outside the host's kernel.
    ///
    /// The volume itself is not changed, except by a repair: then the differences become a new layer, and the state before
    /// is kept as a snapshot.
    ///
    /// - Returns: what was found; a damaged file system is a result, not an error, and so is one that can't be judged here.
    /// - Throws: `volume.missing`, `volume.held`, `volume.damaged` (a layer), `disk.full`, `tool.…`.
    public func check(lab: Name, name: Name, repair: Bool = false) async throws -> VolumeCheck {
        try await changing(lab: lab, name) { record in
            try proveUnheld(record)
            try adopt(&record)
            try verifyLayers(record)
            let active = path(record, record.layers.last ?? "")
            let finding = try await disks.checkFileSystem(record.spec.fileSystem, of: active)
            guard case .damaged = finding, repair else {
                if finding.isSound && record.isUnclean {
                    record.isUnclean = false
                    try save(record)
                }
                return VolumeCheck(lab: lab, name: name, finding: finding, repaired: nil)
            }
            // The state before can be mounted no better than after a power failure.
            record.isUnclean = true
            let fileSystem = record.spec.fileSystem
            let snapshot = try await edit(&record, kind: .repair, prefix: "before-repair") {
                try await disks.repairFileSystem(fileSystem, of: active, into: $0)
            }
            return VolumeCheck(lab: lab, name: name, finding: finding, repaired: snapshot)
        }
    }

    /// Makes sure that a volume whose machine lost its power holds a sound file system.
    ///
    /// Does nothing for a volume that was left in order.
    ///
    /// - Throws: `volume.damaged` or `volume.newer-features` with exit `.halted`, and what ``check(lab:name:repair:)`` throws.
    public func requireClean(lab: Name, name: Name) async throws {
        guard try existing(lab: lab, name).isUnclean else { return }
        switch try await check(lab: lab, name: name).finding {
        case .clean, .replayed: return
        case .damaged(let words):
            throw KilnError(
                .volumeDamaged,
                "the file system of volume \(lab)/\(name) is damaged",
                hint: "repair it, which keeps the present state as a snapshot: "
                    + "'kiln volume check \(lab)/\(name) --repair'",
                cause: words.joined(separator: "; "),
                exit: .halted
            )
        case .newer(let features, let program):
            throw KilnError(
                .volumeNewerFeatures,
                "volume \(lab)/\(name) lost its machine's power, and its file system is newer than the tools of this host: "
                    + "\(program) does not know \(features.joined(separator: ", "))",
                hint: "give this host a newer e2fsprogs, or return to a snapshot: 'kiln volume show \(lab)/\(name)'",
                exit: .halted
            )
        }
    }

    /// Remembers that a machine lost its power with the volume mounted, until a check finds it sound.
    public func markUnclean(lab: Name, name: Name) async throws {
        try await changing(lab: lab, name) { record in
            guard !record.isUnclean else { return }
            record.isUnclean = true
            try save(record)
        }
    }

    /// Remembers that nothing is to be feared for a volume's file system, such as where that of one with the same layers was found sound.
    func markClean(lab: Name, name: Name) async throws {
        try await changing(lab: lab, name) { record in
            guard record.isUnclean else { return }
            record.isUnclean = false
            try save(record)
        }
    }

    /// Enlarges a volume that nobody has open, and its file system with it; the state before is kept as a snapshot.
    ///
    /// - Throws: `volume.not-larger`, `volume.missing`, `volume.held`, `volume.damaged`, `disk.too-large`, `disk.not-grown`,
    ///   `disk.not-sound`, `disk.newer-features`, `disk.full`, `tool.…`.
    public func grow(lab: Name, name: Name, to size: ByteCount) async throws -> VolumeRecord {
        try await changing(lab: lab, name) { record in
            guard size > record.spec.size, size.bytes.isMultiple(of: 4096) else {
                throw KilnError(
                    .volumeNotLarger,
                    "volume \(record.title) has \(record.spec.size) and can't become \(size)",
                    hint: "a volume only grows, by whole blocks of 4KiB",
                    exit: .usage
                )
            }
            try proveUnheld(record)
            try adopt(&record)
            try verifyLayers(record)
            let active = path(record, record.layers.last ?? "")
            let fileSystem = record.spec.fileSystem
            record.spec = VolumeSpec(size: size, fileSystem: fileSystem)
            _ = try await edit(&record, kind: .grow, prefix: "before-grow") {
                try await disks.growFileSystem(fileSystem, of: active, to: size, into: $0)
            }
            return record
        }
    }

    /// Puts a layer on top that holds a change of the content, and names the state before.
    private func edit(
        _ record: inout VolumeRecord,
        kind: VolumeSnapshot.Kind,
        prefix: String,
        _ make: (String) async throws -> Void
    ) async throws -> VolumeSnapshot {
        try refuseMoreLayers(record)
        let below = record.layers.last ?? ""
        let name = try freeName(nil, prefix: prefix, in: record)
        let layer = VolumeStore.newLayerName()
        do {
            try await make(path(record, layer))
            try disks.giveToMachines(path(record, layer))
            let snapshot = record.snapshot(name, layer: below, kind: kind)
            record.layers.append(layer)
            record.snapshots.append(snapshot)
            record.isUnclean = false
            try save(record)
            try protect(record)
            return snapshot
        } catch {
            if let saved = try? existing(lab: record.lab, record.name) { try? removeUnnamedLayers(saved) }
            throw error
        }
    }
}
