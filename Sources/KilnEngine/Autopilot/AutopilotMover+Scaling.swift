import KilnModel
import KilnSystem

extension AutopilotMover {
    /// Lets members of a server come or go.
    ///
    /// - Parameter isBegun: whether an autopilot that is gone began it, so that some of it is done.
    /// - Throws: `CancellationError` only.
    func perform(_ move: AutoscaleMove, isBegun: Bool) async throws -> AutoscaleEnd {
        do {
            let lock = try engine.lockNumber(of: move.server)
            defer { withExtendedLifetime(lock) {} }
            return try await performLocked(move, isBegun: isBegun)
        } catch let error as KilnError where error.code == .lockHeld {
            return .left(error.message)
        } catch let error as KilnError {
            return .failed(AutopilotFailure(error.code, error.message, hint: error.hint))
        }
    }

    private func performLocked(_ move: AutoscaleMove, isBegun: Bool) async throws -> AutoscaleEnd {
        do {
            try await engine.count(move.server, from: isBegun ? move.to : move.from, to: move.to)
            return .done
        } catch let change as NotAsSeen {
            return .left(change.reason)
        } catch {
            try Task.checkCancellation()
            return try await end(KilnError.wrapping(error), of: move, isBegun: isBegun)
        }
    }

    private func replicas(_ server: ServerID) throws -> Int {
        try engine.lab(server.lab).servers[server.server]?.replicas ?? 1
    }

    private func end(_ error: KilnError, of move: AutoscaleMove, isBegun: Bool) async throws -> AutoscaleEnd {
        if error.exit == .interrupted { throw CancellationError() }
        let isUntouched = !isBegun && (try? replicas(move.server)) == move.from
        if isUntouched, error.code == .lockHeld || error.exit == .unreachable { return .left(error.message) }
        var failure = AutopilotFailure(error.code, error.message, hint: error.hint)
        if !isUntouched, let problem = try await goBack(move) {
            failure = AutopilotFailure(
                error.code,
                "\(error.message); and the members that there are could not be made those that are declared: \(problem.message)",
                hint: problem.hint
                    ?? "'kiln ps \(move.server.lab)' tells who is there, 'kiln scale \(move.server) N' goes on",
                needsPerson: true
            )
        }
        return .failed(failure)
    }

    // To those who are there: one that came stays, one that could not is not declared any more, one that could not go serves on.
    private func goBack(_ move: AutoscaleMove) async throws -> KilnError? {
        let most = max(move.from, move.to)
        do {
            let there = max(1, min(most, engine.launched(move.server)))
            try await engine.count(move.server, from: move.to, to: there)
            return nil
        } catch is NotAsSeen {
            // Whoever gave it another number brings it there.
            return nil
        } catch {
            try Task.checkCancellation()
            let spec = try? engine.lab(move.server.lab).servers[move.server.server]
            // What else is not as it should be is seen at the next look.
            let isDone = spec.map { !engine.isUnfinished(move.server, $0) } ?? false
            return isDone ? nil : KilnError.wrapping(error)
        }
    }
}

extension LabEngine {
    /// Lets a server have another number of members as an autopilot does, whatever its `autoscale` says: one whose limits were changed
    /// comes back within them step by step.
    ///
    /// Those who come are like those who serve, and who was launched before is left as it is: a person may have stopped one. The caller
    /// has ``lockNumber(of:)``.
    ///
    /// - Throws: ``NotAsSeen`` where the lab declares another number than `before` by now, a rollout is open, or nobody can say what
    ///   those who come should be like; nothing was changed then.
    func count(_ server: ServerID, from before: Int, to replicas: Int) async throws {
        var lab = try lab(of: server, with: replicas, insteadOf: before)
        if let open = try rollout(of: server), open.standing != .ended { throw NotAsSeen(reason: "a rollout is open") }
        if try selected(lab, [server.server]).contains(where: isNew) {
            guard let fleet = lab.servers[server.server]?.fleet, let spec = try sameSpec(of: server, fleet) else {
                throw NotAsSeen(reason: AutoscaleWait.Left.mixed.reason(server))
            }
            lab = lab.with([server.server: spec])
        }
        let members = try selected(lab, [server.server])
        try await requirePossible(lab, members, touching: members.filter(isNew))
        _ = try await declare(server, replicas, insteadOf: before)
        _ = try await bringUp(members, touching: members.filter(isNew), of: lab, jobs: nil)
    }

    // One whose journal can't be read is told of under its lock.
    private func isNew(_ member: (MemberID, ServerSpec)) -> Bool {
        (try? workspace(member.0).history())?.current == nil
    }

    /// What the members of a server were made from that were launched, as the declaration of all of them; nothing where they differ.
    ///
    /// The lab may declare something else by now: to bring that to a server is what a rollout is for.
    func sameSpec(of server: ServerID, _ fleet: FleetSpec) throws -> ServerSpec? {
        let first = server.member(0)
        let image = try record(first).image.digest
        // Its volumes are called as they are declared.
        var spec = try sameSpec(first)
        spec.fleet = fleet
        for id in (1..<max(1, launched(server))).map(server.member) {
            let (record, own) = (try record(id), try spec.ofMember(id))
            guard record.image.digest == image, record.spec.volumes == own.volumes,
                ServerConfiguration(of: record.spec) == ServerConfiguration(of: own)
            else { return nil }
        }
        return spec
    }
}
