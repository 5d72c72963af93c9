import ArgumentParser
import KilnEngine
import KilnModel

/// `kiln volume`: verbs on volumes.
struct VolumeVerbs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "volume",
        abstract: "List, snapshot, clone, check, grow, move and delete volumes.",
        subcommands: [
            VolumeListVerb.self, VolumeShowVerb.self, VolumeSnapshotVerb.self, VolumeRestoreVerb.self,
            VolumeCloneVerb.self, VolumeCheckVerb.self, VolumeGrowVerb.self, VolumeExportVerb.self,
            VolumeImportVerb.self, VolumeDeleteVerb.self, VolumeUndeleteVerb.self, VolumePurgeVerb.self,
            VolumePruneVerb.self,
        ]
    )
}

/// `kiln volume list`.
struct VolumeListVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List volumes, who may write to them, and what was deleted but kept."
    )

    @Flag(help: "Only what was deleted but kept.")
    var retained = false

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let store = try await session.workspace().engine.volumes
        let (volumes, unreadable) = retained ? ([], []) : store.readableList()
        let (reformatted, unseen) = await store.reformatted(among: volumes)
        let damaged = (unreadable + unseen).map { "\($0)" }
        let list = VolumeList(
            volumes: volumes,
            retained: try store.retainedVolumes(),
            reformatted: reformatted,
            problems: damaged
        )
        try session.show(list)
        for line in list.warnings { session.say(line) }
        // Not as progress: '-q' is no reason to end with 13 and say nothing.
        session.errors.lines(damaged.map(ConsoleText.singleLine))
        return damaged.isEmpty ? 0 : KilnModel.ExitCode.halted.rawValue
    }
}

/// `kiln volume show`.
struct VolumeShowVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show a volume and its snapshots."
    )

    @Argument(help: "The volume, LAB/NAME.")
    var volume: VolumePath

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let store = try await session.workspace().engine.volumes
        let record = try store.existing(lab: volume.lab, volume.name)
        let (reformatted, unseen) = await store.reformatted(among: [record])
        for error in unseen { session.say("\(error)") }
        try session.show(VolumeView(volume: record, reformatted: reformatted[record.id]))
        return 0
    }
}

/// `kiln volume delete`.
struct VolumeDeleteVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete a volume: it is retained first, and removed for good with 'kiln volume purge'.",
        discussion: "With 'purge', the only command that ever takes a volume away."
    )

    @Argument(
        help: "The volume, LAB/NAME; with --purge, what 'kiln volume list' calls it among the retained.",
        completion: .volumes
    )
    var volume: String

    @Flag(help: "The same as 'kiln volume purge'.")
    var purge = false

    @Flag(help: "Don't ask.")
    var yes = false

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let store = try await session.workspace().engine.volumes
        if purge { return try await VolumePurgeVerb.purge(volume, store, yes: yes, session) }
        guard let path = VolumePath(argument: volume) else {
            throw KilnError(
                .volumeUnknown,
                "\(Name.quoted(volume)) names no volume, expected LAB/NAME",
                hint: "list them with 'kiln volume list'",
                exit: .usage
            )
        }
        _ = try store.existing(lab: path.lab, path.name)
        try await Confirmation.ask("Retain \(volume)? Its servers lose it.", unless: yes, session)
        let kept = try store.retain(lab: path.lab, path.name)
        try session.show(DeletedVolume(volume: volume, retainedAs: kept))
        return 0
    }
}

/// `kiln volume purge`.
struct VolumePurgeVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "purge",
        abstract: "Remove a retained volume for good."
    )

    @Argument(help: "What 'kiln volume list' calls it among the retained.", completion: .retained)
    var volume: String

    @Flag(help: "Don't ask.")
    var yes = false

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        try await VolumePurgeVerb.purge(volume, try await session.workspace().engine.volumes, yes: yes, session)
    }

    static func purge(_ kept: String, _ store: VolumeStore, yes: Bool, _ session: Session) async throws -> Int32 {
        if try store.retained().contains(kept) {
            try await Confirmation.ask("Remove \(kept) and all its data for good?", unless: yes, session)
        }
        try store.purge(kept)
        try session.show(DeletedVolume(volume: kept, retainedAs: nil))
        return 0
    }
}

/// `kiln volume prune`.
struct VolumePruneVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "prune",
        abstract: "Remove the retained volumes of runs of scenarios for good; without --yes, only tell.",
        discussion: "What 'kiln volume delete' retained stays; 'kiln volume purge' removes that by name."
    )

    @Flag(help: "Remove them.")
    var yes = false

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let engine = try await session.workspace().engine
        try session.show(Garbage(items: try engine.pruneRunVolumes(dryRun: !yes), isDryRun: !yes))
        return 0
    }
}

/// `kiln volume undelete`.
struct VolumeUndeleteVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "undelete",
        abstract: "Make a volume of a retained one again."
    )

    @Argument(help: "What 'kiln volume list' calls it among the retained.", completion: .retained)
    var kept: String

    @Argument(help: "The volume that it becomes, LAB/NAME; without it, the one that it was.")
    var volume: VolumePath?

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let store = try await session.workspace().engine.volumes
        try session.show(VolumeView(volume: try store.undelete(kept, as: volume.map { ($0.lab, $0.name) })))
        return 0
    }
}
