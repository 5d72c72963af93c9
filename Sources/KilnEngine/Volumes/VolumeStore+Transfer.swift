import Foundation
import KilnModel

/// A volume that was made from a disk file.
public struct ImportedVolume: Sendable, Hashable {
    /// The new volume.
    public let volume: VolumeRecord
    /// The label that its file system had, any text; nothing where it has that one still.
    public let formerLabel: String?

    /// What the user should know of it; nothing where it is as it was.
    public var remark: String? {
        guard let formerLabel, !formerLabel.isEmpty else { return nil }
        return "the file system of \(volume.lab)/\(volume.name) was labelled \(Name.quoted(formerLabel)), and is now "
            + "labelled '\(VolumeStore.label(volume.name))': a machine might take it for a disk of its image"
    }
}

extension VolumeStore {
    /// Writes the content of a layer and of those below it into a file that stands alone.
    ///
    /// - Throws: `disk.exists`, `disk.full`, `volume.damaged`, `tool.…`.
    func export(_ record: VolumeRecord, layer: String, to file: String, as format: DiskFormat) async throws {
        try verifyLayers(record)
        try await disks.exportDisk(path(record, layer), to: file, as: format)
    }

    /// Makes a volume from a disk file, whose format is found out by Kiln's own reading of it.
    ///
    /// Its file system gets the label that a new volume has.
    ///
    /// - Parameter file: a raw disk, or a qcow2 file that needs no other file; with an ext4 file system on it.
    /// - Throws: `volume.exists`, `disk.refused`, `disk.not-ext4`, `disk.full`, `tool.…`; there is no volume then.
    public func importVolume(_ file: String, lab: Name, name: Name) async throws -> ImportedVolume {
        var former = ""
        let record = try await make(lab: lab, name) { directory in
            let first = "0001.qcow2"
            let mark = VolumeMark()
            let label = VolumeStore.label(name)
            let found = try await disks.importDisk(file, to: "\(directory)/\(first)", label: label, mark: mark)
            former = found.label
            // Where its journal is still to be replayed it has none yet.
            let isMarked = try await disks.setMark(mark, of: "\(directory)/\(first)")
            try disks.giveToMachines("\(directory)/\(first)")
            return VolumeRecord(
                lab: lab,
                name: name,
                id: VolumeID(),
                spec: VolumeSpec(size: found.size),
                created: Date(),
                layers: [first],
                lease: nil,
                leaseNumber: 0,
                mark: isMarked ? mark : nil,
                fileSystemID: found.identity
            )
        }
        return ImportedVolume(volume: record, formerLabel: former == VolumeStore.label(name) ? nil : former)
    }
}
