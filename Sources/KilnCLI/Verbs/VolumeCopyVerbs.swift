import ArgumentParser
import Foundation
import KilnEngine
import KilnModel

/// `kiln volume snapshot`.
struct VolumeSnapshotVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "snapshot",
        abstract: "Keep the present state of a volume under a name, also while a machine writes to it.",
        discussion: """
            Nothing is copied. The answer says what can be relied on: 'clean' (the machine was off), 'quiesced' (its guest had \
            flushed its file systems), or 'crash-consistent' (as after a power failure).
            """
    )

    @Argument(help: "The volume, LAB/NAME.")
    var volume: VolumePath

    @Argument(help: "The snapshot's name; without it, 'snapshot-1' and so on.", completion: .snapshots)
    var name: Name?

    @Flag(help: "Forget a snapshot instead; the volume stays as it is.")
    var remove = false

    @OptionGroup var global: GlobalOptions

    func validate() throws {
        if remove && name == nil { throw ValidationError("say which snapshot to remove") }
    }

    func execute(_ session: Session) async throws -> Int32 {
        let engine = try await session.workspace().engine
        if remove, let name {
            let removed = try await engine.volumes.removeSnapshot(lab: volume.lab, volume.name, name.text)
            try session.show(SnapshotResult(volume: volume, snapshot: removed, isRemoved: true))
            return 0
        }
        let snapshot = try await engine.snapshotVolume(lab: volume.lab, volume.name, as: name)
        try session.show(SnapshotResult(volume: volume, snapshot: snapshot, isRemoved: false))
        return 0
    }
}

/// `kiln volume restore`.
struct VolumeRestoreVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Return a volume that is not in use to a snapshot; the state that it had is retained."
    )

    @Argument(help: "The volume, LAB/NAME.")
    var volume: VolumePath

    @Argument(help: "The snapshot, as 'kiln volume show' calls it.", completion: .snapshots)
    var snapshot: String

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let engine = try await session.workspace().engine
        let kept = try await engine.restoreVolume(lab: volume.lab, volume.name, to: snapshot)
        try session.show(RestoredVolume(volume: volume, snapshot: snapshot, discarded: kept))
        return 0
    }
}

/// `kiln volume clone`.
struct VolumeCloneVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "clone",
        abstract: "Make a volume with the present content of another, also while a machine writes to that.",
        discussion: """
            Nothing is copied, and each of the two outlives the other. The file system is the same, its UUID included: mount \
            volumes by their disk's serial number, as Kiln does, and not by UUID.
            """
    )

    @Argument(help: "The volume, LAB/NAME.")
    var volume: VolumePath

    @Argument(help: "The name of the new volume, in the same lab.")
    var name: Name

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let engine = try await session.workspace().engine
        let clone = try await engine.cloneVolume(lab: volume.lab, volume.name, as: name)
        try session.show(CloneResult(source: volume, clone: clone))
        return 0
    }
}

/// `kiln volume export`.
struct VolumeExportVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write a volume's present content to a new file that stands alone."
    )

    @Argument(help: "The volume, LAB/NAME.")
    var volume: VolumePath

    @Argument(help: "The file, which must not be there yet.", completion: .file())
    var file: String

    @Option(name: .customLong("as"), help: ArgumentHelp("The file's format: raw or qcow2.", valueName: "format"))
    var diskFormat: DiskFormat = .qcow2

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let engine = try await session.workspace().engine
        let path = URL(fileURLWithPath: file).path
        let consistency = try await engine.exportVolume(lab: volume.lab, volume.name, to: path, as: diskFormat)
        try session.show(ExportResult(volume: volume, file: file, format: diskFormat, consistency: consistency))
        return 0
    }
}

extension DiskFormat: ExpressibleByArgument {}

/// `kiln volume import`.
struct VolumeImportVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Make a volume from a disk file: raw or qcow2, with an ext4 file system and no partitions."
    )

    @Argument(help: "The file, which stays as it is.", completion: .file())
    var file: String

    @Argument(help: "The new volume, LAB/NAME.")
    var volume: VolumePath

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let store = try await session.workspace().engine.volumes
        let path = URL(fileURLWithPath: file).path
        let imported = try await store.importVolume(path, lab: volume.lab, name: volume.name)
        if let remark = imported.remark { session.say("note: \(remark)") }
        try session.show(VolumeView(volume: imported.volume))
        return 0
    }
}
