import Foundation
import KilnModel

/// A volume that was made from another one.
public struct ClonedVolume: Sendable, Hashable {
    /// The new volume.
    public let volume: VolumeRecord
    /// What can be relied on when it is mounted.
    public let consistency: VolumeSnapshot.Consistency
}

extension VolumeStore {
    /// Makes a volume from the sealed layers of another one.
    ///
    /// No content is copied: each sealed layer gets one more name, and the new volume an active layer of its own. So each
    /// of the two outlives the other. The file system, its UUID and label included, is the same; the mark is its
    /// own from its first boot on.
    ///
    /// - Parameters:
    ///   - snapshot: what it begins with; nothing means all that is sealed.
    ///   - rehearsal: the server of the rehearsal that it is for, if any.
    ///   - isCopy: whether a new member gets it, whose application has to become another one than that of the original.
    func clone(
        _ record: VolumeRecord,
        at snapshot: VolumeSnapshot? = nil,
        as name: Name,
        isUnclean: Bool,
        for rehearsal: MemberID? = nil,
        isCopy: Bool = false
    ) async throws -> VolumeRecord {
        let sealed = snapshot.flatMap(record.layers(of:)) ?? Array(record.layers.dropLast())
        return try await make(lab: record.lab, name) { directory in
            try link(sealed, of: record, into: directory)
            let active = VolumeStore.newLayerName()
            try await disks.createLayer(at: "\(directory)/\(active)", over: sealed.last ?? "")
            try disks.giveToMachines("\(directory)/\(active)")
            var clone = record.copied(lab: record.lab, name: name, created: Date(), layers: sealed + [active])
            (clone.mark, clone.unmarked, clone.isUsed) = (nil, record.unmarked, false)
            clone.isUnclean = isUnclean
            clone.rehearsal = rehearsal
            clone.isCopy = isCopy
            return clone
        }
    }
}
