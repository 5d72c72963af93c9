import Foundation
import KilnModel

extension LabEngine {
    /// Replaces a server's machine by one of the next generation, with the same volumes.
    ///
    /// - Parameters:
    ///   - image: the image of the new generation; nothing means the one that the lab file declares.
    /// - Returns: how it ended: committed, aborted, reverted or halted. Only what prevents the replacement from being
    ///   tried, or from being ended, is thrown.
    public func replace(_ id: ServerID, image: ImageReference? = nil) async throws -> ReplacementReport {
        let workspace = try existing(id)
        let lock = try workspace.lock()
        defer { withExtendedLifetime(lock) {} }
        _ = try await recoverLocked(workspace)
        let history = try workspace.journal.history()
        guard let current = history.current else {
            throw KilnError(
                "server.not-launched",
                "\(id) has no machine that could be replaced",
                hint: "bring it up with 'kiln up'",
                exit: .blocked
            )
        }
        var spec = try lab(id.lab).servers[id.server] ?? workspace.record(id.machine(current)).spec
        if let image { spec.image = image }
        do {
            return try await begin(workspace, spec: spec)
        } catch let error as KilnError where error.code.hasPrefix("image.") {
            // Nothing was touched: whatever is wrong with the new image, the server serves on.
            throw KilnError(error.code, error.message, hint: error.hint, cause: error.cause, exit: .aborted)
        }
    }

    /// Begins the next generation of a server and drives it to its end.
    ///
    /// The caller holds the lock.
    func begin(_ workspace: ServerWorkspace, spec: ServerSpec) async throws -> ReplacementReport {
        let history = try workspace.journal.history()
        let image = try await parts.images.verifiedImage(spec.image)
        let intent = Intent(
            number: history.operations.count + 1,
            from: history.current,
            to: Generation(history.highest + 1),
            image: "\(image.manifest.name):\(image.manifest.version)",
            digest: image.manifest.digest
        )
        try checkVolumes(workspace, spec)
        try workspace.journal.append(.began(intent))
        var replacement = Replacement(intent)
        replacement.apply(.began(intent))
        let writer = GenerationWriter(workspace: workspace, spec: spec, image: image)
        var executor = ReplacementExecutor(server: workspace, replacement: replacement, writer: writer)
        return try await executor.run()
    }

    /// Finishes or takes back what an earlier command left unfinished, or tries the way back of a halted one again.
    ///
    /// - Returns: how that ended, or nothing where there was nothing to recover.
    public func recover(_ id: ServerID) async throws -> ReplacementReport? {
        let workspace = try existing(id)
        let lock = try workspace.lock()
        defer { withExtendedLifetime(lock) {} }
        if try workspace.journal.history().halted != nil { try workspace.journal.append(.resumed) }
        return try await recoverLocked(workspace)
    }

    /// What ``recover(_:)`` would do, in one sentence.
    public func recoveryPlan(_ id: ServerID) async throws -> String {
        let history = try existing(id).journal.history()
        if let halted = history.halted {
            return "operation \(halted.replacement.intent.number) halted: \(halted.replacement.reason ?? ""); "
                + "the way back would be tried again"
        }
        guard let open = history.open else { return "nothing to recover" }
        let running = try await parts.machines.state(of: id.machine(open.replacement.intent.to)) == .running
        var after = open.replacement
        if let event = after.eventOnRecovery(isNewRunning: running) { after.apply(event) }
        let steps = after.sequence.filter { step in !after.completed.contains { $0.step == step } }
        return
            "operation \(after.intent.number) was interrupted in \(open.replacement.entered.last?.rawValue ?? "plan"); "
            + "next: \(steps.map(\.rawValue).joined(separator: ", ")), then \(after.outcomeAtEnd.rawValue)"
    }

    /// Recovers under the lock that the caller holds.
    ///
    /// Every changing command begins with this.
    func recoverLocked(_ workspace: ServerWorkspace) async throws -> ReplacementReport? {
        if let machine = try? machine(workspace.id) { try await workspace.thawLeftover(machine) }
        let history = try workspace.journal.history()
        if let halted = history.halted { throw haltedError(workspace.id, halted.replacement) }
        try await settleSwitches(of: workspace.id)
        guard var replacement = history.open?.replacement else { return nil }
        parts.progress(.note("\(workspace.id): operation \(replacement.intent.number) was interrupted; recovering"))
        let new = workspace.id.machine(replacement.intent.to)
        let isNewRunning = try await parts.machines.state(of: new) == .running
        if let event = replacement.eventOnRecovery(isNewRunning: isNewRunning) {
            try workspace.journal.append(event)
            replacement.apply(event)
        }
        var executor = ReplacementExecutor(server: workspace, replacement: replacement, writer: nil)
        let report = try await executor.run()
        if report.outcome == .halted { throw haltedError(workspace.id, executor.replacement) }
        return report
    }

    private func haltedError(_ id: ServerID, _ replacement: Replacement) -> KilnError {
        KilnError(
            "replace.halted",
            "\(id) is halted since operation \(replacement.intent.number): \(replacement.reason ?? "")",
            hint: "try the way back again: 'kiln recover \(id)'; or give the machines up and keep the volumes: "
                + "'kiln down \(id.lab)'",
            exit: .halted
        )
    }

    // PLAN: what can be known before anything is touched.
    private func checkVolumes(_ workspace: ServerWorkspace, _ spec: ServerSpec) throws {
        for name in spec.volumes.keys.sorted() {
            guard let record = try volumes.record(lab: workspace.id.lab, name) else {
                throw KilnError(
                    "volume.missing",
                    "\(workspace.id) mounts the volume \(name), which does not exist",
                    hint: "'kiln up' creates the volumes that the lab file declares",
                    exit: .aborted
                )
            }
            if let holder = record.lease?.machine, holder.server != workspace.id {
                throw KilnError(
                    "volume.leased",
                    "volume \(record.lab)/\(name) belongs to the server \(holder.server)",
                    hint: "a volume has one server",
                    exit: .blocked
                )
            }
        }
    }
}
