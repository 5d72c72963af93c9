import Foundation
import KilnModel
import KilnSystem

extension VolumeStore {
    // A longer chain makes reads slower; layers that nothing needs any more are merged when there are that many.
    private static let mostLoose = 7
    // libvirt takes 200 and its XML gets deep; nobody should ever get here without a snapshot for each of them.
    private static let mostLayers = 64

    /// Seals the active layer and puts a new one on top, so that the state of now can be returned to.
    ///
    /// - Parameter mark: names the new layer and the snapshot; a second call with the same mark does nothing.
    /// - Throws: `volume.reformatted` too, before anything is sealed.
    func seal(lab: Name, _ name: Name, mark: String) async throws {
        try await changing(lab: lab, name) { record in
            try await requireMark(of: &record)
            guard !record.layers.contains("\(mark).qcow2") else { return try protect(record) }
            try await sealUnheld(&record, layer: "\(mark).qcow2", as: try Name(mark), kind: .replacement)
        }
    }

    /// Seals the active layer of a volume that nobody has open.
    ///
    /// - Parameter snapshot: the name of the state of now; nothing where nobody wants to return to it.
    func sealUnheld(
        _ record: inout VolumeRecord,
        layer: String = newLayerName(),
        as snapshot: Name? = nil,
        kind: VolumeSnapshot.Kind = .named,
        isMerging: Bool = true
    ) async throws {
        try proveUnheld(record)
        try adopt(&record)
        try verifyLayers(record)
        // Now or never: the merging of old layers must not take the last one with the mark for one that nobody needs. Who
        // begins a replacement has looked already.
        if kind != .replacement, record.layers.count > 1 { try await noteLostMark(&record) }
        if isMerging { try await mergeLooseLayers(&record, isReplaced: kind == .replacement) }
        let sealed = record.layers.last ?? ""
        try await putOnTop(layer, of: &record)
        record.isUsed = false
        if let snapshot { record.snapshots.append(record.snapshot(snapshot, layer: sealed, kind: kind)) }
        try saveWithNewTop(record)
        try protect(record)
    }

    /// Makes an empty layer over the active one; the record is not yet saved.
    func putOnTop(_ layer: String, of record: inout VolumeRecord) async throws {
        try refuseMoreLayers(record)
        try await disks.createLayer(at: path(record, layer), over: record.layers.last ?? "")
        do {
            try disks.giveToMachines(path(record, layer))
        } catch {
            try? DurableFile.remove(path(record, layer))
            throw error
        }
        record.layers.append(layer)
    }

    /// A file name for a layer that no volume has yet, so that a name never means two contents.
    static func newLayerName() -> String {
        let digits = String(UInt64.random(in: .min ... .max), radix: 16)
        return "layer-\(String(repeating: "0", count: 16 - digits.count))\(digits).qcow2"
    }

    func takesMoreLayers(_ record: VolumeRecord) -> Bool { record.layers.count < VolumeStore.mostLayers }

    func refuseMoreLayers(_ record: VolumeRecord) throws {
        guard !takesMoreLayers(record) else { return }
        throw KilnError(
            .volumeTooManyLayers,
            "volume \(record.title) has \(record.layers.count) layers, which is the most",
            hint:
                "remove snapshots that nobody needs: 'kiln volume snapshot \(record.title) NAME --remove'; what reboots "
                + "sealed is merged when its server is stopped and started",
            exit: .aborted
        )
    }

    /// Removes the layers of Kiln's own making that `volume.json` does not name, and what a killed process was making
    /// beside them.
    ///
    /// A file that somebody has open is left alone, whatever it is.
    func removeUnnamedLayers(_ record: VolumeRecord) throws {
        let directory = state.volume(lab: record.lab, record.name)
        for file in (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        where !record.layers.contains(file) && VolumeStore.isOwnWork(file) {
            guard try holders.holders(of: "\(directory)/\(file)").isEmpty else { continue }
            try DurableFile.remove("\(directory)/\(file)")
        }
    }

    private static func isOwnWork(_ file: String) -> Bool {
        file.hasSuffix(".qcow2.making")
            || file.hasSuffix(".qcow2") && (file.hasPrefix("layer-") || file.hasPrefix("before-"))
    }

    /// Takes the right to write from all sealed layers.
    ///
    /// Called after the record was saved: until that names the new layer, the old one is what machines write to.
    func protect(_ record: VolumeRecord) throws {
        for sealed in record.layers.dropLast() where chmod(path(record, sealed), 0o444) != 0 {
            throw DurableFile.failure("chmod", path(record, sealed))
        }
    }

    /// The layers that nothing but the chain itself needs are written down into the lowest of them.
    ///
    /// A layer that has further names belongs to clones too, and one that a snapshot names has to stay as it is. Each merge
    /// leaves the content of the chain as it was, so it can be cut off anywhere and done again.
    ///
    /// - Parameter isReplaced: whether a replacement begins, which alone gives up what the ones before it sealed: the last one
    ///   may have halted, and have to be taken back to that.
    private func mergeLooseLayers(_ record: inout VolumeRecord, isReplaced: Bool) async throws {
        var needed = Set(record.snapshots.filter(\.kind.isKept).map(\.layer))
        if !isReplaced, let last = record.snapshots.last(where: { $0.kind == .replacement }) {
            needed.insert(last.layer)
        }
        let highestKept = try record.layers.lastIndex { try needed.contains($0) || isShared(path(record, $0)) } ?? 0
        guard record.layers.count - 1 - highestKept >= VolumeStore.mostLoose else { return }
        let loose = Set(record.layers[(highestKept + 1)...])
        // First of all: a name for a layer that is being written to would be a lie.
        record.snapshots.removeAll { loose.contains($0.layer) }
        try save(record)
        while record.layers.count > highestKept + 2, let top = record.layers.last {
            let below = path(record, record.layers[record.layers.count - 2])
            guard chmod(below, 0o644) == 0 else { throw DurableFile.failure("chmod", below) }
            try await disks.merge(path(record, top))
            record.layers.removeLast()
            try save(record)
            try DurableFile.remove(path(record, top))
        }
    }

    private func isShared(_ path: String) throws -> Bool {
        var status = stat()
        guard lstat(path, &status) == 0 else { throw DurableFile.failure("lstat", path) }
        return status.st_nlink > 1
    }
}

extension VolumeStore {
    /// Judges every layer by Kiln's own reading of its header, before QEMU or one of its tools sees it.
    ///
    /// - Throws: `volume.damaged`, naming the layer.
    /// - Returns: the size that the guest sees.
    @discardableResult
    func verifyLayers(_ record: VolumeRecord) throws -> ByteCount {
        var size = record.spec.size
        for (index, layer) in record.layers.enumerated() {
            do {
                size = try disks.examineLayer(
                    path(record, layer),
                    over: index == 0 ? nil : record.layers[index - 1]
                )
            } catch let error as KilnError {
                throw KilnError(
                    .volumeDamaged,
                    "layer \(index + 1) of \(record.layers.count) of volume \(record.title) is not what it was: "
                        + error.message,
                    hint: "put the file back as it was; Kiln follows no links and makes no new file in its place",
                    cause: error.cause,
                    exit: .halted
                )
            }
        }
        return size
    }

    /// Throws `volume.held` unless nothing has the volume open and a lock that excludes every QEMU can be taken.
    func proveUnheld(lab: Name, _ name: Name) throws { try proveUnheld(try existing(lab: lab, name)) }

    /// Makes a volume ready for a machine that is about to get it: nobody has it open, and what it holds is sealed, so that
    /// nothing that the machine's guest does to it is past recall.
    ///
    /// - Parameter isReturning: whether the machine served before and is to serve again: then nothing is merged, for that
    ///   takes its time.
    /// - Parameter isSealing: false for a machine that is to have it back although nothing can be written.
    /// - Throws: `volume.leased` too, where the volume is lent to another machine or to none.
    func prepare(
        lab: Name,
        _ name: Name,
        for machine: MachineID,
        isReturning: Bool = false,
        isSealing: Bool = true
    ) async throws {
        try await changing(lab: lab, name) { record in
            guard record.lease?.machine == machine else { throw notLent(record, to: machine) }
            try proveUnheld(record)
            try adopt(&record)
            guard isSealing else { return }
            if record.isUsed {
                let snapshot = try freeName(nil, prefix: "before-boot", in: record)
                try await sealUnheld(&record, as: snapshot, kind: .boot, isMerging: !isReturning)
            }
            if record.mark == nil { try await ensureMark(&record) }
            record.isUsed = true
            try save(record)
        }
    }

    private func notLent(_ record: VolumeRecord, to machine: MachineID) -> KilnError {
        KilnError(
            .volumeLeased,
            "\(machine) is not to have the volume \(record.title), which is lent to "
                + (record.lease?.machine.description ?? "nobody"),
            hint: "see which generation is the server's with 'kiln history \(machine.member)'",
            exit: .halted
        )
    }

    /// Only layers that somebody may write to: sealed ones are shared with clones.
    func proveUnheld(_ record: VolumeRecord) throws {
        for layer in [record.unconfirmed, record.layers.last].compactMap({ $0 }) {
            try proveUnheld(path(record, layer), record)
        }
    }

    private func proveUnheld(_ layer: String, _ record: VolumeRecord) throws {
        try refuseOddFile(layer, record)
        let holding = try holders.holders(of: layer)
        guard holding.isEmpty, try holders.isLockObtainable(layer) else { throw held(record, by: holding) }
    }

    /// Throws `volume.held` where more processes have the volume open than the machine that it is attached to.
    func refuseForeignHolders(_ record: VolumeRecord, isAttached: Bool) throws {
        for layer in [record.unconfirmed, record.layers.last].compactMap({ $0 }) {
            let holding = try holders.holders(of: path(record, layer))
            guard holding.count > (isAttached ? 1 : 0) else { continue }
            throw held(record, by: holding, isAttached ? ", of which only one is its server's machine" : "")
        }
    }

    private func held(_ record: VolumeRecord, by holding: [FileHolder], _ remark: String = "") -> KilnError {
        let named =
            holding.isEmpty
            ? "a process that can't be seen from here" : "\(holding.map(\.description).joined(separator: ", "))"
        return KilnError(
            .volumeHeld,
            "volume \(record.title) is in use by \(named)\(remark)",
            hint: "end that process; a volume is never taken from its holder by force",
            exit: .blocked
        )
    }

    private func refuseOddFile(_ active: String, _ record: VolumeRecord) throws {
        var status = stat()
        guard lstat(active, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw KilnError(
                .volumeDamaged,
                "the active layer of volume \(record.title) is not a regular file: \(active)",
                hint: "put the file back; Kiln follows no links and makes no new file in its place",
                exit: .halted
            )
        }
    }
}

extension VolumeStore {
    /// Makes an empty layer and writes down that the running machine is to move to it.
    ///
    /// From here on a death loses nothing: the machine writes to the one layer or the other, and once it is off the empty
    /// one on top of the other is right in both cases.
    func beginSwitch(_ record: inout VolumeRecord) async throws {
        try verifyLayers(record)
        let below = record.layers.last
        try await putOnTop(VolumeStore.newLayerName(), of: &record)
        (record.unconfirmed, record.isUsed) = (below, true)
        try saveWithNewTop(record)
    }

    private func saveWithNewTop(_ record: VolumeRecord) throws {
        do {
            try save(record)
        } catch {
            // The record on disk is still the old one, in which the new layer has no name.
            if let layer = record.layers.last { try? DurableFile.remove(path(record, layer)) }
            throw error
        }
    }

    /// The machine was seen to write to the active layer.
    func adopt(_ record: inout VolumeRecord) throws {
        guard record.unconfirmed != nil else { return }
        record.unconfirmed = nil
        try save(record)
        try protect(record)
    }

    /// The running machine was seen to write to the layer below, so the empty one goes again.
    func cancelSwitch(_ record: inout VolumeRecord) throws {
        guard record.unconfirmed != nil, let top = record.layers.popLast() else { return }
        record.unconfirmed = nil
        try save(record)
        try DurableFile.remove(path(record, top))
    }
}
