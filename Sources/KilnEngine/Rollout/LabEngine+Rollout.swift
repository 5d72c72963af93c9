import Foundation
import KilnModel
import KilnStore
import KilnSystem

/// Rollouts: all members of a server are brought to another image or configuration, a few at a time.
extension LabEngine {
    /// Brings all members of a server to the image and configuration that are declared, or that `options` say.
    ///
    /// One that was interrupted is taken up instead; then nothing new is begun.
    ///
    /// - Returns: how it ended, or that it is paused.
    /// - Throws: `rollout.open` where one waits for a person, `lock.held` where another command drives one, `replace.halted`
    ///   where a member is halted, and what prevents it from being begun.
    public func rollOut(_ server: ServerID, _ options: ReplaceOptions = ReplaceOptions()) async throws -> RolloutReport
    {
        let files = RolloutFiles(server: server, state: state)
        let lock = try await files.lock()
        defer { withExtendedLifetime(lock) {} }
        if let open = try files.history().open {
            if let pause = open.pause, pause.lasts == nil { throw paused(open, server) }
            parts.progress(.note("\(server): rollout \(open.plan.id) was interrupted; taking it up"))
            return try await drive(server, files, after: .resume)
        }
        try await begin(server, files, options)
        return try await drive(server, files, after: nil)
    }

    /// Does what a person wants of a rollout; where another command drives it, that one does.
    ///
    /// - Returns: how it stands then.
    /// - Throws: `rollout.none` where there is nothing that the command could be about.
    public func command(_ command: RolloutCommand, on server: ServerID) async throws -> RolloutReport {
        let files = RolloutFiles(server: server, state: state)
        guard let lock = try? await files.lock() else { return try await ask(command, server, files) }
        defer { withExtendedLifetime(lock) {} }
        // Where there is none for it, that is said before anything is written.
        _ = try files.history().event(for: command, of: server, at: RolloutClock.now)
        return try await drive(server, files, after: command)
    }

    /// Takes up the rollout of a server that was interrupted; one that waits for a person, or that somebody drives, is left alone.
    ///
    /// - Returns: how it ended; nothing where there was none to be taken up.
    public func takeUpRollout(of server: ServerID) async throws -> RolloutReport? {
        let files = RolloutFiles(server: server, state: state)
        guard let open = try files.history().open, open.pause.map({ $0.lasts != nil }) ?? true,
            let lock = try? await files.lock()
        else { return nil }
        defer { withExtendedLifetime(lock) {} }
        parts.progress(.note("\(server): rollout \(open.plan.id) was interrupted; taking it up"))
        return try await drive(server, files, after: .resume)
    }

    /// How the latest rollout of a server stands; nothing where there never was one.
    public func rollout(of server: ServerID) throws -> RolloutReport? {
        let files = RolloutFiles(server: server, state: state)
        guard let latest = try files.history().latest else { return nil }
        let waiting: RolloutReport.Standing = latest.pause != nil ? .paused : .interrupted
        let open: RolloutReport.Standing = files.isDriven ? .progressing : waiting
        let standing = latest.outcome != nil ? .ended : open
        return RolloutReport(server, latest, standing, new: try new(of: latest, server))
    }

    /// What happened in the rollouts of a server, oldest first.
    public func rollouts(of server: ServerID) throws -> [RolloutReport] {
        let states = try RolloutFiles(server: server, state: state).history().rollouts
        let latest = try rollout(of: server)
        return states.dropLast().map { RolloutReport(server, $0, .ended, new: []) } + [latest].compactMap(\.self)
    }

    /// How an open rollout stands, for listings.
    func rolloutRemark(_ server: ServerID) -> String? {
        guard let report = try? rollout(of: server), report.standing != .ended else { return nil }
        return report.sentence
    }

    private func new(of rollout: RolloutState, _ server: ServerID) throws -> [Int] {
        try rollout.plan.members.filter { member in
            let id = server.member(member.ordinal)
            guard let current = try workspace(id).history().current else { return false }
            return try current > member.generation
                && workspace(id).record(id.machine(current)).version == rollout.plan.target
        }.map(\.ordinal)
    }

    private func paused(_ open: RolloutState, _ server: ServerID) -> KilnError {
        let why =
            open.pause?.failure.map { ": \($0.reason)" } ?? (open.direction == .back ? "" : " until it is promoted")
        return KilnError(
            .rolloutOpen,
            "rollout \(open.plan.id) of \(server) is paused\(why)",
            hint: RolloutReport.waysOn(server, open.direction, hasFailed: open.pause?.failure != nil),
            exit: .blocked
        )
    }

    // Whoever drives it looks for wishes all the time; where that one ends meanwhile, the wish is this command's own to do.
    private func ask(_ command: RolloutCommand, _ server: ServerID, _ files: RolloutFiles) async throws
        -> RolloutReport
    {
        _ = try files.history().event(for: command, of: server, at: RolloutClock.now)
        try files.leave(command)
        let end = ContinuousClock.now + .seconds(30)
        while try files.wish() != nil {
            if let lock = try? await files.lock() {
                defer { withExtendedLifetime(lock) {} }
                try files.forgetWish()
                return try await drive(server, files, after: command)
            }
            guard ContinuousClock.now < end else {
                throw KilnError(
                    .lockHeld,
                    "whoever drives the rollout of \(server) has not heard '\(command.word)' for 30 s",
                    hint: "end that command, then try again",
                    exit: .blocked
                )
            }
            // Nothing tells of a file that another process removes, nor of a lock that it gives back.
            try await Task.sleep(for: .milliseconds(100))
        }
        parts.progress(.note("\(server): the command that drives the rollout was told: \(command.word)"))
        guard let report = try rollout(of: server) else { throw notLaunched(server.member(0)) }
        return report
    }
}

// MARK: - At work

extension LabEngine {
    private func begin(_ server: ServerID, _ files: RolloutFiles, _ options: ReplaceOptions) async throws {
        let lab = try lab(server.lab)
        guard var spec = lab.servers[server.server] else { throw notLaunched(server.member(0)) }
        if let image = options.image { spec.image = image }
        if let strategy = options.strategy { spec.strategy = strategy }
        let image = try await requireImage(spec.image, lab.images)
        // The same for all, whatever a channel points to later.
        spec.image = ImageReference(name: image.name, selector: .digest(image.digest))
        for id in members(of: server) where try workspace(id).history().current == nil { throw notLaunched(id) }
        let target = RolloutVersion(
            image: image.digest,
            configuration: try ServerConfiguration(of: try spec.ofMember(server.member(0))).digest
        )
        let history = try files.history()
        let plan = try RolloutPlan(
            id: history.nextID,
            spec: lab.servers[server.server]?.fleet?.rollout ?? RolloutSpec(),
            target: target,
            of: server,
            as: await RolloutView(engine: self, server: server).observe(),
            replacesAll: true
        )
        let event = try history.begin(plan, of: server)
        try files.keep(
            RolloutFiles.Target(spec: spec, dataOnRevert: options.dataOnRevert, forceStop: options.forceStop)
        )
        try files.append(event)
        let order = plan.ordinals.map(String.init).joined(separator: ", ")
        let what = "\(image.name):\(image.version) (\(image.digest.short))"
        parts.progress(.note("\(server): rollout \(plan.id) begins: members \(order), to \(what)"))
    }

    // Nothing was touched: whatever is wrong with the image, all members serve on.
    private func requireImage(_ reference: ImageReference, _ policy: ImagePolicy) async throws -> ImageManifest {
        do {
            return try await parts.images.verifiedImage(reference, for: .newGeneration(policy)).manifest
        } catch let error as KilnError where ErrorCode.images.contains(error.code) {
            throw KilnError(error.code, error.message, hint: error.hint, cause: error.cause, exit: .aborted)
        }
    }

    private func drive(
        _ server: ServerID,
        _ files: RolloutFiles,
        after command: RolloutCommand?
    ) async throws -> RolloutReport {
        try files.forgetWish()
        var driver = RolloutDriver(engine: self, files: files, history: try files.history(), target: try files.target())
        if let command { try driver.take(command) }
        let standing = try await driver.run()
        guard let latest = driver.history.latest else { throw notLaunched(server.member(0)) }
        return RolloutReport(server, latest, standing, new: try new(of: latest, server))
    }
}

/// The clock of rollouts.
///
/// Time in which the host sleeps does not count: its machines sleep as well, so a member is not late for it, and has not been
/// tried either.
enum RolloutClock {
    /// The time since the host's boot in which it was awake.
    ///
    /// clock_gettime(2): CLOCK_MONOTONIC.
    static var now: Duration {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}

extension GenerationRecord {
    /// What it is made from.
    var version: RolloutVersion { RolloutVersion(image: image.digest, configuration: configuration) }
}
