import ArgumentParser
import KilnEngine
import KilnModel

/// `kiln volume check`.
struct VolumeCheckVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check the file system of a volume that is not in use, on a private copy.",
        discussion: """
            Exit 0: clean, or sound once its journal is replayed, which the next mount does. Exit 1: damaged, or made with \
            features that this host's tools don't know. A repair keeps the state before as a snapshot. Of a volume in use, \
            check a clone.
            """
    )

    @Argument(help: "The volume, LAB/NAME.")
    var volume: VolumePath

    @Flag(help: "Repair what is damaged.")
    var repair = false

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let engine = try await session.workspace().engine
        let check = try await engine.checkVolume(lab: volume.lab, volume.name, repair: repair)
        let result = CheckResult(check: check)
        try session.show(result)
        return result.exit.rawValue
    }
}

/// `kiln volume grow`.
struct VolumeGrowVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "grow",
        abstract: "Enlarge a volume that is not in use, and its file system; the state before is kept as a snapshot.",
        discussion: "Takes seconds, whatever the size. What the file system can't become is refused with its limit."
    )

    @Argument(help: "The volume, LAB/NAME.")
    var volume: VolumePath

    @Argument(help: "The new size, such as 2GiB.")
    var size: ByteCount

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let workspace = try await session.workspace()
        let record = try await workspace.engine.growVolume(lab: volume.lab, volume.name, to: size)
        if let remark = workspace.engine.volumes.remark(on: size) { session.say(remark) }
        session.say("write 'size: \(size)' for \(volume.name) into the lab file, or the next 'kiln up' refuses")
        try session.show(VolumeView(volume: record))
        return 0
    }
}
