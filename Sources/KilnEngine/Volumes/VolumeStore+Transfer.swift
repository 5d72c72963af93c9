import Foundation
import KilnModel

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
    /// - Parameter file: a raw disk, or a qcow2 file that needs no other file; with an ext4 file system on it.
    /// - Throws: `volume.exists`, `disk.refused`, `disk.not-ext4`, `disk.full`, `tool.…`; there is no volume then.
    public func importVolume(_ file: String, lab: Name, name: Name) async throws -> VolumeRecord {
        try await make(lab: lab, name) { directory in
            let first = "0001.qcow2"
            let mark = VolumeMark()
            let size = try await disks.importDisk(file, to: "\(directory)/\(first)", mark: mark)
            // Where its journal is still to be replayed it has none yet.
            let isMarked = try await disks.setMark(mark, of: "\(directory)/\(first)")
            try disks.giveToMachines("\(directory)/\(first)")
            return VolumeRecord(
                lab: lab,
                name: name,
                id: VolumeID(),
                spec: VolumeSpec(size: size),
                created: Date(),
                layers: [first],
                lease: nil,
                leaseNumber: 0,
                mark: isMarked ? mark : nil
            )
        }
    }
}
