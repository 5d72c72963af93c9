import KilnModel

/// Carries out one step of a rollout with one member.
struct RolloutMover: Sendable {
    let engine: LabEngine
    let server: ServerID
    let target: RolloutFiles.Target
    let plan: RolloutPlan?

    /// Does it; how a replacement ended is seen at the next look at the member.
    ///
    /// - Returns: that a move is done, as an event to write.
    func perform(_ step: RolloutStep) async throws -> RolloutEvent? {
        let begin = ContinuousClock.now
        switch step {
        case .recover(let ordinal):
            try await recover(server.member(ordinal))
            return nil
        case .move(let move):
            switch move.kind {
            case .takeOut: try await engine.takeOut(server.member(move.ordinal))
            case .putIn: try await engine.putIn(server.member(move.ordinal))
            case .replace, .rollBack: try await replace(move)
            }
            return .completed(move, milliseconds: Int((ContinuousClock.now - begin) / .milliseconds(1)))
        default: return nil
        }
    }

    private func recover(_ id: MemberID) async throws {
        do {
            _ = try await engine.recover(id)
        } catch let error as KilnError where error.code == .replaceHalted {
            // That is seen, too.
        }
    }

    private func replace(_ move: RolloutMove) async throws {
        let id = server.member(move.ordinal)
        var options = ReplaceOptions(dataOnRevert: target.dataOnRevert, forceStop: target.forceStop)
        options.isWayBack = move.kind == .rollBack
        var spec = try move.kind == .replace ? target.spec.ofMember(id) : stable(id)
        if move.isWarm { spec.strategy = .warmFirst }
        let report = try await engine.replace(id, by: spec, options)
        // Whoever interrupts it wants the rollout to stay where it is, not to turn back.
        if report.turn?.code == .interrupted { throw CancellationError() }
    }

    // As the generation was made that the rollout found.
    private func stable(_ id: MemberID) throws -> ServerSpec {
        guard let generation = plan?.member(id.ordinal)?.generation else {
            throw KilnError(
                .stateMissing,
                "the rollout of \(server) does not know what \(id) was before",
                exit: .halted
            )
        }
        let record = try engine.workspace(id).record(id.machine(generation))
        var spec = record.spec
        spec.image = ImageReference(name: record.image.name, selector: .digest(record.image.digest))
        return spec
    }
}

extension LabEngine {
    /// Sends a member no more clients, and lets it end what it has begun for them; it runs on.
    func takeOut(_ id: MemberID) async throws {
        let workspace = try existing(id)
        let lock = try workspace.lock()
        defer { withExtendedLifetime(lock) {} }
        try await workspace.takeOut(try machine(id))
    }

    /// Sends a member clients again that is ready.
    func putIn(_ id: MemberID) async throws {
        let workspace = try existing(id)
        let lock = try workspace.lock()
        defer { withExtendedLifetime(lock) {} }
        try await workspace.serve(try machine(id))
    }
}
