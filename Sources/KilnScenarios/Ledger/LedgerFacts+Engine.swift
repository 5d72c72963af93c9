import KilnEngine
import KilnModel

extension LedgerFacts {
    /// The volume of a server on which a file of its guest lies.
    ///
    /// - Parameter file: the file; nothing where only a service knows it, and then it is on the only volume, if there is one.
    public static func volume(of file: String?, on server: MemberID, _ engine: LabEngine) -> VolumeRecord? {
        let mounts = (try? engine.servingSpec(of: server))?.mounts ?? []
        // Of several mount points the innermost one counts.
        let around = file.map { file in mounts.filter { file.hasPrefix($0.path + "/") } }
        let found = (around ?? (mounts.count == 1 ? mounts : [])).max { $0.path.utf8.count < $1.path.utf8.count }
        return found.flatMap { try? engine.volumes.record(lab: server.lab, $0.volume) }
    }

    /// What the engine has recorded of a ledger's volume and of the machines that wrote to it; what can't be read is not known.
    ///
    /// - Parameters:
    ///   - file: the ledger's file in the guest; nothing where only a service knows it.
    ///   - written: the volume on which the records were written.
    ///   - restorations: returns to snapshots of which the run knows when they were.
    public static func recorded(
        file: String?,
        on server: MemberID,
        written: VolumeID?,
        restorations: [Restoration] = [],
        _ engine: LabEngine
    ) async -> LedgerFacts {
        let record = volume(of: file, on: server, engine)
        let known = record?.restoration.map { Restoration(snapshot: $0.snapshot, kept: $0.kept) }
        let looked = await engine.volumes.reformatted(among: [record].compactMap(\.self))
        return LedgerFacts(
            file: file,
            written: written,
            read: record?.id,
            reformatted: record.flatMap { looked.found[$0.id] },
            restorations: restorations.isEmpty ? [known].compactMap(\.self) : restorations,
            hidden: await hidden(on: server, engine)
        )
    }

    // Of machines that were replaced there is what was found then.
    private static func hidden(on server: MemberID, _ engine: LabEngine) async -> [HiddenFile] {
        guard let history = try? engine.history(server) else { return [] }
        var found: [HiddenFile] = []
        for generation in history.operations.suffix(8).map(\.replacement.intent.to) {
            let report = try? await engine.drift(server, generation: generation)
            found += (report?.hidden ?? []).map { HiddenFile(machine: server.machine(generation), path: $0) }
        }
        return found
    }
}
