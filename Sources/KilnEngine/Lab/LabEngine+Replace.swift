import Foundation
import KilnModel
import KilnStore
import KilnSystem

extension LabEngine {
    /// Replaces a server's machine by one of the next generation, with the same volumes.
    ///
    /// - Returns: how it ended: committed, aborted, reverted or halted. Only what prevents the replacement from being
    ///   tried, or from being ended, is thrown; so is `lock.held` where a rollout of the server goes on, which would count without it.
    public func replace(_ id: MemberID, _ options: ReplaceOptions = ReplaceOptions()) async throws -> ReplacementReport
    {
        let rollout = try lockRollout(of: id.whole)
        defer { withExtendedLifetime(rollout) {} }
        return try await changing(id) { workspace, current in
            try await replace(workspace, by: try nextSpec(workspace, current, options), options)
        }
    }

    // A rollout takes no member out that it does not count, and nobody else may while it goes on; replacements of single members
    // don't exclude each other.
    func lockRollout(of server: ServerID) throws -> FileLock? {
        guard members(of: server).count > 1 else { return nil }
        return try RolloutFiles(server: server, state: state).lockOut()
    }

    /// Replaces a member's machine by one that is made from `spec`, whatever the lab declares by now.
    func replace(_ id: MemberID, by spec: ServerSpec, _ options: ReplaceOptions) async throws -> ReplacementReport {
        try await changing(id) { workspace, _ in try await replace(workspace, by: spec, options) }
    }

    /// The same for a member whose machine is the one that somebody saw, and that is still meant to serve.
    ///
    /// - Throws: ``NotAsSeen`` where it is not.
    func replace(_ seen: MachineID, by spec: ServerSpec, _ options: ReplaceOptions) async throws -> ReplacementReport {
        try await changing(seen.member) { workspace, _ in
            try requireWanted(seen, try workspace.history())
            return try await replace(workspace, by: spec, options)
        }
    }

    /// What the next generation is made from: the declaration, and what the command says.
    func nextSpec(_ workspace: ServerWorkspace, _ current: Generation, _ options: ReplaceOptions) throws -> ServerSpec {
        let id = workspace.id
        var spec = try lab(id.lab).servers[id.server]?.ofMember(id) ?? workspace.record(id.machine(current)).spec
        if let image = options.image { spec.image = image }
        if let strategy = options.strategy { spec.strategy = strategy }
        return spec
    }

    /// Replaces a server's machine by a new one from the image of an earlier generation, with the same volumes.
    ///
    /// Their data stays what it is: an older image must be able to read it. One that was revoked since, or whose tests don't count
    /// any more, is taken all the same, since it served before: the report's standing says so.
    /// - Parameter generation: whose image; nothing means the last one that served before the present one.
    /// - Throws: `generation.missing` where that never served.
    public func rollback(
        _ id: MemberID,
        to generation: Generation? = nil,
        _ options: ReplaceOptions = ReplaceOptions()
    ) async throws -> ReplacementReport {
        let rollout = try lockRollout(of: id.whole)
        defer { withExtendedLifetime(rollout) {} }
        return try await changing(id) { workspace, current in
            let served = try workspace.journal.history().operations.map(\.replacement)
                .filter { $0.outcome == .committed }.map(\.intent.to)
            guard let target = generation ?? served.last(where: { $0 != current }), served.contains(target) else {
                throw noGeneration(id, generation, served)
            }
            let image = try workspace.record(id.machine(target)).image
            var spec = try nextSpec(workspace, current, options)
            spec.image = ImageReference(name: image.name, selector: .digest(image.digest))
            var back = options
            back.isWayBack = true
            return try await replace(workspace, by: spec, back)
        }
    }

    private func noGeneration(_ id: MemberID, _ wanted: Generation?, _ served: [Generation]) -> KilnError {
        let what =
            wanted.map { "generation \($0) of \(id) never served" } ?? "no generation of \(id) served before this one"
        return KilnError(
            .generationMissing,
            "\(what); those that did: \(served.map(\.description).joined(separator: ", "))",
            hint: "see 'kiln history \(id)'",
            exit: .usage
        )
    }

    // What halted for want of the old machine has been taken back but for that, and for the new one's remains.
    private func clearAway(_ halted: Replacement, _ workspace: ServerWorkspace) async throws {
        let failed = workspace.id.machine(halted.intent.to)
        if try await parts.machines.state(of: failed).isAlive { try await parts.machines.powerOff(failed) }
        // It may have failed before it was anything.
        guard let old = halted.intent.from, let record = try? workspace.record(failed) else {
            return try await workspace.remove(failed)
        }
        try await workspace.retire(failed, keeping: record.spec.keepRoots, serving: workspace.id.machine(old))
    }

    // Takes the lock, recovers, and tells which generation serves.
    private func changing(
        _ id: MemberID,
        _ body: (ServerWorkspace, Generation) async throws -> ReplacementReport
    ) async throws -> ReplacementReport {
        let workspace = try existing(id)
        let lock = try workspace.lock()
        defer { withExtendedLifetime(lock) {} }
        _ = try await recoverLocked(workspace, leavingNew: true, leavingOld: true)
        let history = try workspace.journal.history()
        guard let current = history.current else { throw notLaunched(id) }
        do {
            return try await body(workspace, current)
        } catch let error as KilnError where history.halted != nil && error.exit == .aborted {
            // Nothing was begun, but what served before does not serve on either.
            throw KilnError(error.code, error.message, hint: error.hint, cause: error.cause, exit: .halted)
        }
    }

    func notLaunched(_ id: MemberID) -> KilnError {
        KilnError(
            .serverNotLaunched,
            "\(id) has no machine that could be replaced",
            hint: "bring it up with 'kiln up'",
            exit: .blocked
        )
    }

    private func replace(
        _ workspace: ServerWorkspace,
        by spec: ServerSpec,
        _ options: ReplaceOptions
    ) async throws -> ReplacementReport {
        // Lab files are checked when they are read; a strategy may be another one than theirs.
        if spec.strategy == .warmFirst, let mount = spec.ownMount { throw mountsItself(workspace.id, mount) }
        do {
            if options.rehearsesFirst { try await rehearse(workspace, spec, isWayBack: options.isWayBack) }
            return try await begin(workspace, spec: spec, options)
        } catch let error as KilnError where ErrorCode.images.contains(error.code) {
            // Nothing was touched: whatever is wrong with the new image, the server serves on.
            throw KilnError(error.code, error.message, hint: error.hint, cause: error.cause, exit: .aborted)
        }
    }

    private func mountsItself(_ id: MemberID, _ mount: OwnMount) -> KilnError {
        KilnError(
            .userDataOwnMount,
            "the user-data of \(id) has \(mount.found), which does not go with warm-first: \(OwnMount.reason)",
            hint: "replace with '--strategy stop-first', or change the lab file",
            exit: .aborted
        )
    }

    /// Begins the next generation of a server and drives it to its end.
    ///
    /// The caller holds the lock.
    func begin(
        _ workspace: ServerWorkspace,
        spec: ServerSpec,
        _ options: ReplaceOptions = ReplaceOptions()
    ) async throws -> ReplacementReport {
        let history = try workspace.journal.history()
        let (image, intent) = try await intend(workspace, spec, options, history)
        var replacement = Replacement(intent, isAfterHalt: history.halted != nil)
        replacement.apply(.began(intent))
        var writer = GenerationWriter(workspace: workspace, spec: spec, image: image, isWarm: replacement.isWarm)
        // What follows a machine shows that its image boots, where nobody asks for less.
        writer.launch = options.launch ?? (history.current == nil ? spec.launch : .boot)
        var executor = ReplacementExecutor(server: workspace, replacement: replacement, writer: writer)
        let report = try await executor.run()
        noteConfiguration(report, workspace)
        return judged(report, workspace)
    }

    // Until the intent is written down nobody knows that the image is needed.
    private func intend(
        _ workspace: ServerWorkspace,
        _ spec: ServerSpec,
        _ options: ReplaceOptions,
        _ history: ServerHistory
    ) async throws -> (StoredImage, Intent) {
        let lock = try await imageLock(.shared)
        defer { withExtendedLifetime(lock) {} }
        // What served before is come back to whatever is said of it by now; the report says that.
        let purpose: ImagePurpose =
            options.isWayBack ? .existing : .newGeneration(try lab(workspace.id.lab).images)
        let image = try await parts.images.verifiedImage(spec.image, for: purpose)
        if !options.isWayBack {
            try requireTestedConfiguration(workspace, spec, on: image.manifest, serving: history.current)
        }
        try spec.requireRoom(for: image.manifest)
        if !spec.heldPorts.isEmpty { try parts.fronts.requireProgram() }
        try spec.requireWay(try parts.images.way(into: image.manifest.digest), into: image.manifest)
        let intent = Intent(
            number: history.operations.count + 1,
            from: history.current,
            to: Generation(history.highest + 1),
            image: "\(image.manifest.name):\(image.manifest.version)",
            digest: image.manifest.digest,
            strategy: spec.strategy,
            dataOnRevert: options.dataOnRevert,
            forceStop: options.forceStop,
            isRehearsed: options.rehearsesFirst
        )
        try await workspace.refuseForeign(workspace.id.machine(intent.to))
        try await checkVolumes(workspace, spec, serving: history.current)
        if let halted = history.halted?.replacement { try await clearAway(halted, workspace) }
        try workspace.journal.append(.began(intent))
        return (image, intent)
    }

    /// Finishes or takes back what an earlier command left unfinished, or tries the way back of a halted one again.
    ///
    /// - Parameter data: what becomes of the data on the way back of a halted replacement; nothing means what was wanted when
    ///   it began.
    /// - Returns: how that ended, or nothing where there was nothing to recover.
    public func recover(_ id: MemberID, data: DataOnRevert? = nil) async throws -> ReplacementReport? {
        if isRehearsal(id) {
            try await discardAbandonedRehearsal(id)
            return nil
        }
        let workspace = try existing(id)
        let lock = try workspace.lock()
        defer { withExtendedLifetime(lock) {} }
        let history = try workspace.history()
        if let data, history.halted != nil || history.open != nil { try workspace.journal.append(.decided(data)) }
        if history.halted != nil { try workspace.journal.append(.resumed) }
        return try await recoverToServe(workspace)
    }

    /// Ends what was interrupted of a member whose machine is the one that somebody saw, and that is still meant to serve.
    ///
    /// - Throws: ``NotAsSeen`` where it is not, or nothing is to be ended any more: what halted is for a person.
    func recover(_ seen: MachineID) async throws {
        let workspace = try existing(seen.member)
        let lock = try workspace.lock()
        defer { withExtendedLifetime(lock) {} }
        let history = try workspace.history()
        try requireWanted(seen, history)
        guard history.open != nil else { throw NotAsSeen(reason: "what was interrupted has ended meanwhile") }
        _ = try await recoverToServe(workspace)
    }

    // Under the lock.
    private func recoverToServe(_ workspace: ServerWorkspace) async throws -> ReplacementReport? {
        let report = try await recoverLocked(workspace)
        guard let machine = try? machine(workspace.id) else { return report }
        do {
            try await workspace.serve(machine)
        } catch let error as KilnError where report != nil {
            // What was recovered is told first of all.
            parts.progress(.note("\(machine) has no clients yet: \(error.message)"))
        }
        return report
    }

    /// What ``recover(_:data:)`` would do, in one sentence.
    public func recoveryPlan(_ id: MemberID) async throws -> String {
        let history = try existing(id).history()
        if let halted = history.halted {
            return "operation \(halted.replacement.intent.number) halted: \(halted.replacement.reason ?? ""); "
                + "the way back would be tried again"
        }
        guard let open = history.open else { return "nothing to recover" }
        let known = openOperation(open)
        if let pid = known.pid {
            return "operation \(known.number) is in progress in \(known.step.rawValue) (pid \(pid))"
        }
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
    /// - Parameter leavingNew: whether a machine past the point of no return need not serve, because it is about to be
    ///   ended or replaced.
    /// - Parameter leavingOld: whether the old machine need not serve either, because another replacement is about to begin.
    func recoverLocked(
        _ workspace: ServerWorkspace,
        leavingNew: Bool = false,
        leavingOld: Bool = false
    ) async throws -> ReplacementReport? {
        if let machine = try? machine(workspace.id) { try await workspace.thawLeftover(machine) }
        // One of a command that has ended, since this one has the server's lock.
        if let rehearsal = try? rehearsalID(of: workspace.id), isRehearsal(rehearsal) {
            try await discardRehearsal(rehearsal)
        }
        let history = try workspace.history()
        if let halted = history.halted?.replacement, !(leavingOld && halted.lacksOnlyOld) {
            throw try haltedError(workspace, halted)
        }
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
        executor.isLeavingNew = leavingNew
        let report = try await executor.run()
        if report.outcome == .halted { throw try haltedError(workspace, executor.replacement) }
        // A machine that is left as it is has not had to serve.
        if !leavingNew { noteConfiguration(report, workspace) }
        return judged(report, workspace)
    }

    /// Why nothing can be done with a server that halted, and what can be done about it.
    func haltedError(_ workspace: ServerWorkspace, _ replacement: Replacement) throws -> KilnError {
        let id = workspace.id
        var ways: [String] = []
        if replacement.intent.from != nil {
            ways.append("the old generation with the data as it is: 'kiln recover \(id) --data keep'")
            if replacement.isHandedOver {
                ways.append(
                    "the old generation with the data from before the replacement, today's retained: "
                        + "'kiln recover \(id) --data restore'"
                )
            }
        } else {
            ways.append("try again to take it back: 'kiln recover \(id)'")
        }
        if replacement.lacksOnlyOld {
            ways.append(
                "a new generation, with the data as it is: 'kiln replace \(id) --image IMAGE' or 'kiln rollback \(id)'"
            )
        }
        for name in (try? workspace.volumeNames(of: id.machine(replacement.intent.to))) ?? [] {
            ways.append("look at the data first: 'kiln volume check \(id.lab)/\(name)'")
        }
        ways.append("no machine, and the volumes kept: 'kiln down \(id.lab)'")
        return KilnError(
            .replaceHalted,
            "\(id) is halted since operation \(replacement.intent.number): \(replacement.reason ?? "")",
            hint: "the ways out:\n    " + ways.joined(separator: "\n    "),
            cause: replacement.turn.flatMap { turn in
                turn.direction == .halt ? nil : "\(turn.step.rawValue) failed first: \(turn.reason)"
            },
            exit: .halted
        )
    }

    // PLAN: what can be known before anything is touched.
    private func checkVolumes(
        _ workspace: ServerWorkspace,
        _ spec: ServerSpec,
        serving current: Generation?
    ) async throws {
        let machine = current.map { workspace.id.machine($0) }
        for name in spec.volumes.keys.sorted() {
            guard let record = try volumes.record(lab: workspace.id.lab, name) else {
                throw KilnError(
                    .volumeMissing,
                    "\(workspace.id) mounts the volume \(name), which does not exist",
                    hint: "'kiln up' creates the volumes that the lab file declares",
                    exit: .aborted
                )
            }
            if let holder = record.lease?.machine, holder.member != workspace.id {
                throw KilnError(
                    .volumeLeased,
                    "volume \(record.lab)/\(name) belongs to the server \(holder.member)",
                    hint: "a volume has one server",
                    exit: .blocked
                )
            }
            try await workspace.checkFile(of: record, machine)
            try await volumes.requireMark(lab: record.lab, name)
        }
    }
}
