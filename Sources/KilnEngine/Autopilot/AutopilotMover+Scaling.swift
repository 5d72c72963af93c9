import KilnModel

extension AutopilotMover {
    /// Lets members of a server come or go.
    ///
    /// - Parameter isBegun: whether an autopilot that is gone began it, so that some of it is done.
    /// - Throws: `CancellationError` only.
    func perform(_ move: AutoscaleMove, isBegun: Bool) async throws -> AutoscaleEnd {
        do {
            guard try replicas(move.server) == (isBegun ? move.to : move.from) else {
                return .left("another command gave it another number of members meanwhile")
            }
            try await engine.count(move.server, move.to, onlyNew: true)
            return .done
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
            try await engine.count(move.server, max(1, min(most, engine.launched(move.server))), onlyNew: true)
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
