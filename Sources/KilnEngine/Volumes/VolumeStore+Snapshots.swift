import Foundation
import KilnModel
import KilnSystem

extension VolumeStore {
    /// The name for a new snapshot: the given one, or the first free of `snapshot-1`, `snapshot-2` and so on.
    ///
    /// - Throws: `volume.snapshot-exists`.
    func freeName(_ wanted: Name?, prefix: String = "snapshot", in record: VolumeRecord) throws -> Name {
        let taken = Set(record.snapshots.map(\.name))
        if let wanted {
            guard !taken.contains(wanted) else {
                throw KilnError(
                    .volumeSnapshotExists,
                    "volume \(record.title) has a snapshot \(wanted) already",
                    hint: "choose another name; 'kiln volume show \(record.title)' lists them",
                    exit: .aborted
                )
            }
            return wanted
        }
        var number = 1
        while taken.contains(where: { $0.text == "\(prefix)-\(number)" }) { number += 1 }
        return try Name("\(prefix)-\(number)")
    }

    /// The snapshot of that name.
    ///
    /// - Throws: `volume.snapshot-missing`, with the names that there are.
    func snapshot(_ name: String, of record: VolumeRecord) throws -> VolumeSnapshot {
        if let found = record.snapshots.last(where: { $0.name.text == name }) { return found }
        let known = record.snapshots.map(\.name.text)
        throw KilnError(
            .volumeSnapshotMissing,
            "volume \(record.title) has no snapshot \(Name.quoted(name))"
                + Suggestion.text(for: name, among: known),
            hint: known.isEmpty ? "it has none at all" : "it has: \(known.joined(separator: ", "))",
            exit: .aborted
        )
    }

    /// Forgets a snapshot's name; its layers go when nothing else needs them.
    ///
    /// - Throws: `volume.missing`, `volume.snapshot-missing`.
    public func removeSnapshot(lab: Name, _ name: Name, _ snapshot: String) async throws -> VolumeSnapshot {
        try await changing(lab: lab, name) { record in
            let found = try self.snapshot(snapshot, of: record)
            record.snapshots.removeAll { $0.name == found.name }
            if record.reformatted == found.name { record.reformatted = nil }
            try save(record)
            return found
        }
    }

    /// Returns a volume that nobody has open to a snapshot; the state that it had is kept as a retained volume.
    ///
    /// Called again with the same name it does nothing, also after the call before was cut off: it is made for a
    /// replacement, whose marks are never used twice.
    /// - Parameter mark: the snapshot's name.
    /// - Returns: the name of the discarded state among the retained volumes.
    /// - Throws: `volume.missing`, `volume.snapshot-missing`, `volume.held`, `volume.damaged`.
    public func restore(lab: Name, name: Name, to mark: String) async throws -> String {
        try await changing(lab: lab, name) { record in
            if let done = record.restoration, done.snapshot.text == mark { return done.kept }
            return try await restore(&record, to: mark)
        }
    }

    /// The same, each time it is asked for.
    func restore(_ record: inout VolumeRecord, to name: String) async throws -> String {
        let snapshot = try snapshot(name, of: record)
        try proveUnheld(record)
        try adopt(&record)
        try verifyLayers(record)
        guard let base = record.layers(of: snapshot), let sealed = base.last else {
            throw KilnError(.volumeDamaged, "the layer of snapshot \(name) of \(record.title) is gone", exit: .halted)
        }
        let kept = try freeRetainedName(record, "discarded")
        let draft = retainedDraft(kept)
        do {
            try copy(record, to: draft)
            let layer = VolumeStore.newLayerName()
            try await disks.createLayer(at: path(record, layer), over: sealed)
            try disks.giveToMachines(path(record, layer))
            record.layers = base + [layer]
            try await ensureMark(&record)
            // The name for what was before a format has done its work.
            let done = record.reformatted
            record.snapshots.removeAll { !base.contains($0.layer) || $0.name == done && $0.layer == sealed }
            // One that is lent goes back to its machine, also where the disk is full by then and nothing can be written.
            (record.isUsed, record.reformatted) = (record.lease != nil, nil)
            record.restoration = VolumeRecord.Restoration(snapshot: snapshot.name, kept: kept)
            record.isUnclean = snapshot.consistency == .crashConsistent
            let size = try verifyLayers(record)
            record.spec = VolumeSpec(size: size, fileSystem: record.spec.fileSystem)
            try save(record)
        } catch {
            if let saved = try? existing(lab: record.lab, record.name) {
                try? finishRestoration(saved)
                try? removeUnnamedLayers(saved)
            }
            throw error
        }
        try finishRestoration(record)
        try removeUnnamedLayers(record)
        return kept
    }

    /// Ends a return to a snapshot that was cut off: once `volume.json` tells of it, what was discarded gets its name among
    /// the retained volumes; before that, it was nothing.
    func finishRestoration(_ record: VolumeRecord) throws {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: state.retained)) ?? []
        for entry in entries where entry.hasPrefix(".new-\(record.lab).\(record.name).") {
            let draft = "\(state.retained)/\(entry)"
            if let kept = record.restoration?.kept, retainedDraft(kept) == draft {
                try DurableFile.rename(draft, to: "\(state.retained)/\(kept)")
            } else {
                try DurableFile.remove(draft)
            }
        }
    }

    private func retainedDraft(_ kept: String) -> String { "\(state.retained)/.new-\(kept)" }

    /// A volume of its own with further names of the same layers; whoever calls makes one of the two let the active go.
    private func copy(_ record: VolumeRecord, to directory: String) throws {
        try DurableFile.remove(directory)
        try DurableFile.makeDirectory(directory)
        try link(record.layers, of: record, into: directory)
        var copy = record.copied(lab: record.lab, name: record.name, created: record.created, layers: record.layers)
        (copy.isUnclean, copy.reformatted) = (record.isUnclean, record.reformatted)
        (copy.mark, copy.unmarked) = (record.mark, record.unmarked)
        try DurableFile.writeJSON(copy, to: "\(directory)/volume.json")
    }

    /// Gives layers of a volume further names in another directory.
    func link(_ layers: [String], of record: VolumeRecord, into directory: String) throws {
        for layer in layers where Foundation.link(path(record, layer), "\(directory)/\(layer)") != 0 {
            throw VolumeStore.notLinked("\(directory)/\(layer)", errno)
        }
    }

    /// The error of a link that can't be made.
    static func notLinked(_ path: String, _ number: Int32) -> KilnError {
        guard [EPERM, EOPNOTSUPP, ENOSYS].contains(number) else {
            errno = number
            return DurableFile.failure("link", path)
        }
        return KilnError(
            .volumeNoLinks,
            "the file system of \(DurableFile.directory(of: path)) has no hard links, of which clones and returns to "
                + "snapshots are made",
            hint:
                "set KILN_HOME to a place on ext4, xfs or btrfs; 'kiln volume export' and 'import' carry volumes there",
            cause: "link: \(String(cString: strerror(number)))",
            exit: .aborted
        )
    }
}

extension VolumeRecord {
    /// A record of a volume of its own that begins with the content and the snapshots of this one.
    func copied(lab: Name, name: Name, created: Date, layers: [String]) -> VolumeRecord {
        VolumeRecord(
            lab: lab,
            name: name,
            id: VolumeID(),
            spec: spec,
            created: created,
            layers: layers,
            lease: nil,
            leaseNumber: 0,
            snapshots: snapshots.filter { layers.contains($0.layer) },
            fileSystemID: fileSystemID
        )
    }
}
