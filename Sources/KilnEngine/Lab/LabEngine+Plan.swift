import KilnModel
import KilnStore

/// What would be done: nothing here takes a lock, writes or recovers.
extension LabEngine {
    /// What ``up(_:only:)`` would do now.
    ///
    /// - Parameter only: the servers to bring up; none means all.
    /// - Throws: what `up` throws before it makes anything: a port that is not allowed, an image that is missing, a volume
    ///   that is declared otherwise.
    public func plan(_ lab: LabSpec, only: [Name] = []) async throws -> LabPlan {
        let lab = keepingNumbers(of: lab)
        let wanted = try selected(lab, only)
        try PortBook.requireAllowed(lab, by: parts.ports)
        try await checkImages(of: wanted, lab.images)
        let missing = try volumesToMake(lab, for: wanted)
        let states = try await parts.machines.machines()
        var servers: [PlannedAction] = []
        for (id, spec) in wanted {
            let action = try action(id, spec, states: states)
            servers.append(try await withChanges(action, to: spec, lab.images))
        }
        return LabPlan(servers: servers, volumes: missing)
    }

    /// What ``replace(_:_:)`` would do now.
    ///
    /// - Throws: `server.not-launched`, `image.…`.
    public func planReplacement(_ id: MemberID, _ options: ReplaceOptions = ReplaceOptions()) async throws
        -> ReplacementPlan
    {
        let workspace = try existing(id)
        let history = try workspace.journal.history()
        guard let current = history.current else { throw notLaunched(id) }
        let record = try workspace.record(id.machine(current))
        let spec = try nextSpec(workspace, current, options)
        let purpose = ImagePurpose.newGeneration(try lab(id.lab).images)
        let image = try await requireFit(spec, purpose)
        if !options.rehearsesFirst {
            try requireTestedConfiguration(workspace, spec, on: image, serving: current)
        }
        return ReplacementPlan(
            server: id,
            from: current,
            to: Generation(history.highest + 1),
            strategy: spec.strategy,
            changes: imageChange(from: record.image, to: image) + record.spec.changes(to: spec),
            volumes: spec.volumes,
            recoversFirst: history.open != nil
        )
    }

    private func withChanges(
        _ action: PlannedAction,
        to spec: ServerSpec,
        _ policy: ImagePolicy
    ) async throws -> PlannedAction {
        let changes: [SpecChange]
        switch action.kind {
        case .start, .nothing: return action
        case .launch:
            let mounts = spec.mounts.map { SpecChange(.volume, $0.volume.text, from: nil, to: $0.path) }
            let disk = spec.disk.map { [SpecChange(.configuration, "disk", from: nil, to: "\($0)")] } ?? []
            let purpose = ImagePurpose.newGeneration(policy)
            changes = imageChange(from: nil, to: try await requireFit(spec, purpose)) + disk + mounts
        case .differs:
            let workspace = workspace(action.server)
            guard let current = try workspace.history().current else { return action }
            let record = try workspace.record(action.server.machine(current))
            // Told, not made: 'replace' judges the image.
            let change = try await imageChange(from: record.image, to: spec.image, for: .existing)
            changes = change + record.spec.changes(to: spec)
        }
        return PlannedAction(server: action.server, kind: action.kind, detail: action.detail, changes: changes)
    }

    // What is refused before anything is touched is refused here, too.
    private func requireFit(_ spec: ServerSpec, _ purpose: ImagePurpose) async throws -> ImageManifest {
        let manifest = try await parts.images.verifiedImage(spec.image, for: purpose).manifest
        try spec.requireRoom(for: manifest)
        try spec.requireWay(try parts.images.way(into: manifest.digest), into: manifest)
        return manifest
    }

    private func imageChange(
        from old: ServerStatus.Image?,
        to reference: ImageReference,
        for purpose: ImagePurpose
    ) async throws -> [SpecChange] {
        imageChange(from: old, to: try await parts.images.verifiedImage(reference, for: purpose).manifest)
    }

    private func imageChange(from old: ServerStatus.Image?, to manifest: ImageManifest) -> [SpecChange] {
        guard old?.digest != manifest.digest else { return [] }
        let next = "\(manifest.name):\(manifest.version) (\(manifest.digest.short))"
        return [
            SpecChange(.image, "image", from: old.map { "\($0.name):\($0.version) (\($0.digest.short))" }, to: next)
        ]
    }

    private func volumesToMake(_ lab: LabSpec, for members: [(MemberID, ServerSpec)]) throws -> [LabPlan.Volume] {
        try members.flatMap { id, _ in try ownVolumes(of: id, lab).map { (id, $0) } }.compactMap { id, volume in
            guard try volumes.isMissing(lab: lab.name, volume.name, spec: volume.spec) else { return nil }
            return LabPlan.Volume(name: volume.name, spec: volume.spec, comesFrom: try comesFrom(volume, of: id, lab))
        }
    }
}
