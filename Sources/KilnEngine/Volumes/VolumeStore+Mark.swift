import Foundation
import KilnModel

/// Whether a guest has formatted a volume, which no tool of the guest's has to be trusted for.
extension VolumeStore {
    /// Whether a volume has lost its mark, as far as its guest has written that to the disk.
    ///
    /// The mark of another volume is none the less one that no format has touched: a journal that is replayed may put the
    /// one back that stood there when the volume was cloned.
    ///
    /// - Throws: `volume.newer-mark`, `tool.…`.
    public func hasLostMark(_ record: VolumeRecord) async throws -> Bool {
        guard record.mark != nil, let top = record.layers.last else { return false }
        try verifyLayers(record)
        return try await finding(path(record, top), record) == .none
    }

    /// The volumes among these that guests have formatted, each with the snapshot that holds or will hold what was before,
    /// and what kept others from being looked at; a few at a time.
    public func reformatted(among all: [VolumeRecord]) async -> (found: [VolumeID: Name], errors: [any Error]) {
        var answer: (found: [VolumeID: Name], errors: [any Error]) = ([:], [])
        await withTaskGroup(of: Result<(VolumeID, Name)?, any Error>.self) { group in
            for (index, record) in all.enumerated() {
                if index >= 4, let next = await group.next() { VolumeStore.add(next, to: &answer) }
                group.addTask { await look(at: record) }
            }
            for await next in group { VolumeStore.add(next, to: &answer) }
        }
        return answer
    }

    private func isReformatted(_ record: VolumeRecord) async throws -> Bool {
        if record.reformatted != nil { return true }
        return try await hasLostMark(record)
    }

    private func look(at record: VolumeRecord) async -> Result<(VolumeID, Name)?, any Error> {
        do {
            guard try await isReformatted(record) else { return .success(nil) }
            return .success((record.id, try record.reformatted ?? formatName(in: record)))
        } catch {
            return .failure(error)
        }
    }

    private static func add(
        _ result: Result<(VolumeID, Name)?, any Error>,
        to answer: inout (found: [VolumeID: Name], errors: [any Error])
    ) {
        switch result {
        case .success(let found): if let (id, snapshot) = found { answer.found[id] = snapshot }
        case .failure(let error): answer.errors.append(error)
        }
    }

    /// Throws `volume.reformatted` where a guest has formatted a volume, and makes sure that what was before is kept.
    func requireMark(lab: Name, _ name: Name) async throws {
        let found = try existing(lab: lab, name)
        guard try await isReformatted(found) else { return }
        try await changing(lab: lab, name) { try await requireMark(of: &$0) }
    }

    /// The same for who changes it.
    func requireMark(of record: inout VolumeRecord) async throws {
        try await noteLostMark(&record)
        if let snapshot = record.reformatted { throw reformatted(record, snapshot) }
    }

    /// Gives the last state with the mark a name where the volume has lost it, so that the state is kept.
    func noteLostMark(_ record: inout VolumeRecord) async throws {
        guard record.reformatted == nil, try await hasLostMark(record) else { return }
        guard let layer = try await lastMarkedLayer(record) else { throw lost(record) }
        let known = record.snapshots.last { $0.layer == layer }
        let name = try formatName(in: record)
        record.snapshots.append(
            record.snapshot(name, layer: layer, kind: .format, consistency: known?.consistency)
        )
        record.reformatted = name
        try save(record)
    }

    /// Gives the new layer on top a mark where it reads none, or only that of the volume that this one was cloned from; writes
    /// down which one it has now.
    ///
    /// What can't have one, such as a file system that is no ext4 or whose journal is still to be replayed, is looked at
    /// again before the next boot.
    func ensureMark(_ record: inout VolumeRecord) async throws {
        guard let top = record.layers.last else { return }
        switch try await disks.mark(of: path(record, top)) {
        case .newer: return
        case .mark(let found) where record.mark != nil: record.mark = found
        case .mark(let found):
            let mark = VolumeMark()
            record.mark = try await disks.setMark(mark, of: path(record, top)) ? mark : found
        case .none:
            let mark = record.mark ?? VolumeMark()
            record.mark = try await disks.setMark(mark, of: path(record, top)) ? mark : nil
            // Until a layer with a mark is sealed, this is the last state that is known to be good.
            if record.mark != nil { record.unmarked = record.layers.dropLast().last }
        }
    }

    // A volume that was cloned stands on layers with the mark of the other one: what it began with was its content too.
    private func lastMarkedLayer(_ record: VolumeRecord) async throws -> String? {
        for layer in record.layers.dropLast().reversed() {
            if case .mark = try await finding(path(record, layer), record) { return layer }
        }
        let sealed = record.layers.dropLast()
        return record.unmarked.flatMap { sealed.contains($0) ? $0 : nil } ?? sealed.first
    }

    private func formatName(in record: VolumeRecord) throws -> Name {
        let plain = try Name("before-format")
        return record.snapshots.contains { $0.name == plain }
            ? try freeName(nil, prefix: plain.text, in: record) : plain
    }

    private func finding(_ disk: String, _ record: VolumeRecord) async throws -> VolumeMark.Finding {
        let found = try await disks.mark(of: disk)
        guard case .newer(let version) = found else { return found }
        throw KilnError(
            .volumeNewerMark,
            "volume \(record.title) has a mark of format \(version), which this version of Kiln does not know",
            hint: "use the version of Kiln that wrote it",
            exit: .halted
        )
    }

    // Every machine gets a volume whose state is sealed, so it was not a guest.
    private func lost(_ record: VolumeRecord) -> KilnError {
        KilnError(
            .volumeReformatted,
            "volume \(record.title) was formatted, and no state before that is kept",
            hint: "what is there now can be kept: 'kiln volume clone \(record.title) NAME'",
            exit: .halted
        )
    }

    private func reformatted(_ record: VolumeRecord, _ snapshot: Name) -> KilnError {
        let user = record.lease.map { "'kiln stop \($0.machine.member)', then " } ?? ""
        return KilnError(
            .volumeReformatted,
            "a guest has formatted volume \(record.title): what it held before is its snapshot \(snapshot)",
            hint:
                "return to that: \(user)'kiln volume restore \(record.title) \(snapshot)', and take out of user-data or image "
                + "what formats it; or keep what is there now: 'kiln volume snapshot \(record.title) NAME', and restore that",
            exit: .halted
        )
    }
}
