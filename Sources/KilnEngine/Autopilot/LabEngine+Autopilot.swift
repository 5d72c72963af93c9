import KilnModel
import KilnSystem

/// The autopilot: a lab that recovers by itself, as long as somebody lets it.
extension LabEngine {
    /// Looks after the servers of a lab that declare `heal` or `autoscale` until it is cancelled, or until what `options` say.
    ///
    /// It never brings another image or configuration, and leaves alone who was stopped by a person, who is halted, who is being
    /// changed by another command, and whose server has an open rollout.
    ///
    /// - Parameter tell: is told of each decision, and what came of it.
    /// - Throws: `lab.missing`, also where it is taken down meanwhile; `lab.no-heal` where no server declares either; `lock.held` where the lab has an autopilot already.
    public func autopilot(
        _ lab: Name,
        _ options: AutopilotOptions = AutopilotOptions(),
        tell: @escaping @Sendable (AutopilotLine) -> Void
    ) async throws -> AutopilotReport {
        guard try self.lab(lab).servers.values.contains(where: \.isLookedAfter) else { throw noHeal(lab) }
        let files = AutopilotFiles(lab: lab, state: state)
        // Who only tells stands in nobody's way.
        let lock = options.isDryRun ? nil : try lock(files)
        let view = AutopilotView(engine: self, lab: lab)
        var driver = try AutopilotDriver(view: view, files: files, options: options, lock: lock, tell: tell)
        defer { withExtendedLifetime(lock) {} }
        return try await driver.run()
    }

    private func lock(_ files: AutopilotFiles) throws -> FileLock {
        do { return try files.lock() } catch let error as KilnError where error.code == .lockHeld {
            throw KilnError(
                .lockHeld,
                "the lab \(files.lab) has an autopilot already" + (files.pid.map { ", process \($0)" } ?? ""),
                hint: "let that one look after the lab, or end it first",
                exit: .blocked
            )
        }
    }

    private func noHeal(_ lab: Name) -> KilnError {
        KilnError(
            .labNoHeal,
            "no server of the lab \(lab) declares 'heal' or 'autoscale', so there is nobody to look after",
            hint: "write 'heal: {}' into its lab file, then 'kiln up'",
            exit: .usage
        )
    }

    /// What autopilots did to a member, oldest first; what they did to all members of a server stands with the first.
    public func autopilotRecords(of id: MemberID) throws -> [AutopilotRecord] {
        try AutopilotFiles(lab: id.lab, state: state).records().filter { $0.event.member == id }
    }

    /// The same statuses, with what an autopilot makes of members where there is or was one.
    func withAutopilot(_ statuses: [ServerStatus]) -> [ServerStatus] {
        var result = statuses
        for lab in Set(statuses.map(\.lab)) {
            let files = AutopilotFiles(lab: lab, state: state)
            let events = (try? files.events()) ?? []
            let pid = files.pid
            guard pid != nil || !events.isEmpty else { continue }
            let declared = (try? self.lab(lab).servers) ?? [:]
            // Only what was done is asked for, so it matters not how often anybody looks.
            var known = AutopilotState(beat: .zero, atOnce: 0)
            for event in events { known.apply(event) }
            for index in result.indices
            where result[index].lab == lab
                && declared[result[index].name]?.isLookedAfter == true
            {
                let standing = AutopilotStanding(pid: pid, isGivenUp: known.isGivenUp(result[index].id))
                if standing.pid != nil || standing.isGivenUp { result[index].autopilot = standing }
            }
        }
        return result
    }
}

extension ServerSpec {
    /// Whether an autopilot has anything to do with it.
    var isLookedAfter: Bool { heal != nil || autoscale != nil }
}
