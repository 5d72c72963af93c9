import KilnModel

extension LabEngine {
    /// What differs on the root of a server's machine from its image, outside the paths that are declared ephemeral.
    ///
    /// Drift is a result, not an error. A running guest holds back its writes for the moment in which its layer is copied;
    /// one without an agent does not, and the report says so.
    ///
    /// Of a generation that a replacement has ended there is what was measured then; its root can't have changed since.
    ///
    /// - Parameter generation: the generation to look at; nothing means the machine that commands reach.
    /// - Throws: `generation.missing` where there never was such a one; `lock.held` while another command changes the
    ///   server; `drift.root-missing`, `drift.copy-torn`, `drift.no-file-system`, `drift.listing-damaged`, `image.…`,
    ///   `tool.…`.
    public func drift(_ id: MemberID, generation: Generation? = nil) async throws -> DriftReport {
        let workspace = try existing(id)
        let machine = try generation.map { try known($0, of: workspace) } ?? machine(id)
        if generation != nil, let kept = try workspace.keptDriftReport(machine) { return kept }
        return try await workspace.measureDrift(machine) { try await copyLocked(machine, workspace) }
    }

    // Nobody may stop or replace the machine while its guest is frozen.
    func copyLocked(
        _ machine: MachineID,
        _ workspace: ServerWorkspace
    ) async throws -> (RootCopy, DriftReport.Consistency) {
        let lock = try workspace.lock()
        defer { withExtendedLifetime(lock) {} }
        try await workspace.thawLeftover(machine)
        return try await workspace.copyRoot(machine)
    }

    /// The content of a file on the root of a generation, also where a volume hides it.
    ///
    /// - Parameter limit: the most bytes to read; a longer file is an error.
    /// - Throws: `generation.missing`, `drift.root-missing`, `root.no-file`, `root.too-large`, and as
    ///   ``drift(_:generation:)``.
    public func read(
        _ path: String,
        onRootOf id: MemberID,
        _ generation: Generation,
        limit: Int = 64 << 20
    ) async throws -> [UInt8] {
        let workspace = try existing(id)
        let machine = try known(generation, of: workspace)
        let record = try workspace.record(machine)
        // As drift names it, with escapes, or as it is.
        guard let written = RootPath(path) ?? RootPath(written: path), !record.hasVolatileRoot else {
            throw KilnError(
                .rootNoFile,
                record.hasVolatileRoot
                    ? "the root of \(machine) was in its memory" : "\(Name.quoted(path)) is no path of a file",
                hint: "'kiln drift \(id) --generation \(generation)' lists what can be copied",
                exit: .usage
            )
        }
        let place = try workspace.listing(of: try await workspace.image(of: record)).location(of: written)
        let (copy, _) = try await copyLocked(machine, workspace)
        defer { parts.roots.discard(copy) }
        return try await parts.roots.content(
            of: place,
            in: copy,
            over: record.files.disk,
            size: record.disk,
            limit: limit
        )
    }

    private func known(_ generation: Generation, of workspace: ServerWorkspace) throws -> MachineID {
        let all = try workspace.journal.history().operations.map(\.replacement.intent.to)
        guard all.contains(generation) else {
            throw KilnError(
                .generationMissing,
                "there never was a generation \(generation) of \(workspace.id), only "
                    + all.map(\.description).joined(separator: ", "),
                hint: "see 'kiln history \(workspace.id)'",
                exit: .usage
            )
        }
        return workspace.id.machine(generation)
    }
}
