import Foundation
import KilnModel
import KilnSystem

/// A volume that is retained.
public struct RetainedVolume: Sendable, Hashable {
    /// The name by which it is restored or removed.
    public let kept: String
    /// What is known of it; nothing where its record can't be read.
    public let record: VolumeRecord?

    /// Whether it is a state that a return to a snapshot discarded.
    public var isDiscarded: Bool { kept.split(separator: ".").contains("discarded") }
}

extension VolumeStore {
    /// Moves a volume that nobody uses out of its lab, to where `retained()` lists it.
    ///
    /// - Parameter ofRun: whether a run of a scenario sets its own volume aside, so that pruning may purge it.
    /// - Throws: `volume.missing`, `volume.leased`, `volume.held`.
    public func retain(lab: Name, _ name: Name, ofRun: Bool = false) throws -> String {
        let lock = try lock(lab: lab, name)
        defer { withExtendedLifetime(lock) {} }
        var record = try existing(lab: lab, name)
        try finishRestoration(record)
        if let holder = record.lease?.machine {
            throw KilnError(
                .volumeLeased,
                "volume \(lab)/\(name) is attached to \(holder)",
                hint: "take its lab down first: 'kiln down \(lab)'",
                exit: .blocked
            )
        }
        try proveUnheld(record)
        if ofRun {
            record.isOfRun = true
            try save(record)
        }
        let kept = try freeRetainedName(record)
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

    /// The same with what is known of each.
    public func retainedVolumes() throws -> [RetainedVolume] {
        try retained().map { kept in
            let path = "\(state.retained)/\(kept)/volume.json"
            return RetainedVolume(kept: kept, record: try? DurableFile.readJSON(VolumeRecord.self, from: path))
        }
    }

    /// Marks what is retained of the lab of a run, so that pruning may purge it; returns the names.
    func claimRetained(ofRun lab: Name) throws -> [String] {
        try retainedVolumes().compactMap { volume in
            guard var record = volume.record, record.lab == lab else { return nil }
            if !record.isOfRun {
                record.isOfRun = true
                try DurableFile.writeJSON(record, to: "\(state.retained)/\(volume.kept)/volume.json")
            }
            return volume.kept
        }
    }

    /// Removes a retained volume for good.
    ///
    /// - Throws: `volume.missing`.
    public func purge(_ kept: String) throws {
        try DurableFile.remove(try retainedDirectory(kept))
    }

    /// Makes a retained volume a volume again.
    ///
    /// - Parameter place: its lab and name; nothing means those that it had.
    /// - Throws: `volume.missing`, `volume.exists`, `state.unreadable`.
    public func undelete(_ kept: String, as place: (lab: Name, name: Name)? = nil) throws -> VolumeRecord {
        let directory = try retainedDirectory(kept)
        guard var record = try DurableFile.readJSON(VolumeRecord.self, from: directory + "/volume.json") else {
            throw KilnError(.stateMissing, "\(directory) has no volume.json", exit: .halted)
        }
        let (lab, name) = place ?? (record.lab, record.name)
        let creation = try creationLock(lab)
        defer { withExtendedLifetime(creation) {} }
        let final = state.volume(lab: lab, name)
        try refuseTaken(final, lab, name)
        (record.lab, record.name, record.isOfRun) = (lab, name, false)
        // Before the rename: a record says where it lies, and paths are made from that.
        try DurableFile.writeJSON(record, to: directory + "/volume.json")
        try DurableFile.rename(directory, to: final)
        try DurableFile.synchronize(state.retained)
        return record
    }

    /// A name that no retained volume has: `LAB.NAME.TIME`.
    func freeRetainedName(_ record: VolumeRecord, _ word: String? = nil) throws -> String {
        let stamp = UInt64(Date().timeIntervalSince1970)
        let name = [record.lab.text, record.name.text, "\(stamp)", word].compactMap { $0 }.joined(separator: ".")
        let taken = Set(try retained())
        var number = 1
        while taken.contains(number == 1 ? name : "\(name).\(number)") { number += 1 }
        return number == 1 ? name : "\(name).\(number)"
    }

    private func retainedDirectory(_ kept: String) throws -> String {
        let known = try retained()
        guard known.contains(kept) else {
            throw KilnError(
                .volumeMissing,
                "\(Name.quoted(kept)) is not a retained volume\(Suggestion.text(for: kept, among: known))",
                hint: known.isEmpty ? "there is none" : "there are: \(known.joined(separator: ", "))",
                exit: .usage
            )
        }
        return "\(state.retained)/\(kept)"
    }
}
