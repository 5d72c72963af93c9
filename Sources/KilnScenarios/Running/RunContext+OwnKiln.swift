import KilnEngine
import KilnFaults
import KilnModel

extension RunContext {
    /// Replaces a server by a kiln of its own, which is killed on the way, and goes on with what it left.
    ///
    /// - Throws: `KilnError`, also where nothing could be begun.
    nonisolated func replaceApart(
        _ server: MemberID,
        _ options: ReplaceOptions,
        as id: StepID
    ) async throws -> ReplacementEnding {
        guard let process else {
            throw FaultGround.impossible("this run has no kiln besides its own")
        }
        let before = try engine.history(server).operations.count
        let end = try await process.replace(
            server,
            options,
            stops: moments.points(of: id).map(\.description).sorted(),
            progress: engine.parts.progress
        ) { [self] pid in
            // One that somebody stops before it has begun goes on as well.
            guard try engine.history(server).operations.count > before, let (point, machine) = try point(of: server)
            else { return }
            ground.kilns.note(pid, on: server)
            defer { ground.kilns.note(nil, on: server) }
            try await moments.reached(point.step, point.moment, of: machine)
        }
        let hasBegun = try engine.history(server).operations.count > before
        if case .killed = end, hasBegun, let report = try await recovered(server) { return ReplacementEnding(report) }
        // Of a server whose replacement did not begin, the journal tells of one before.
        if hasBegun, let ending = ReplacementEnding(try engine.history(server)) { return ending }
        if case .ended(let refusal?) = end { throw refusal }
        let found = hasBegun ? "it is still open" : "its kiln was gone before it began"
        throw Unmet("\(server.server): a replacement that has ended expected, \(found)")
    }

    // What halts is told by an error; the journal has it as well.
    nonisolated private func recovered(_ server: MemberID) async throws -> ReplacementReport? {
        do {
            return try await engine.recover(server)
        } catch let error as KilnError where error.code == .replaceHalted { return nil }
    }

    /// The moment at which a replacement stands still, by its journal; nothing where none is open.
    nonisolated private func point(of server: MemberID) throws -> (MomentPoint, MachineID)? {
        guard let open = try engine.history(server).open?.replacement else { return nil }
        let machine = server.machine(open.intent.to)
        // What a step did is done before that is written, and what failed is not.
        if let last = open.entered.last, open.turn?.step != last, !open.completed.contains(where: { $0.step == last }) {
            return (MomentPoint(last, .after), machine)
        }
        return open.next.map { (MomentPoint($0, .before), machine) }
    }
}
