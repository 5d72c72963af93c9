import KilnModel

/// Listens to what a server's front says of each answer, until the judge has heard enough.
struct RolloutWatch: Sendable {
    let engine: LabEngine
    let server: ServerID
    let new: Set<Int>
    let old: Set<Int>
    let spec: RolloutSpec

    /// What came of it; where it could not be measured, that.
    func judgement() async -> RolloutJudgement {
        do {
            return try await listen()
        } catch {
            return RolloutJudgement(.error, reason: KilnError.wrapping(error).message)
        }
    }

    private func listen() async throws -> RolloutJudgement {
        guard let wanted = spec.judge else { return RolloutJudgement(.successful, reason: "no judge was asked for") }
        let log = try await engine.parts.fronts.listen(to: server)
        let end = ContinuousClock.now + spec.progressDeadline
        var judge = RolloutJudge(wanted)
        while !judge.hasHeardEnough, ContinuousClock.now < end {
            for answer in try await log.answers(within: .seconds(1)) where new.union(old).contains(answer.ordinal) {
                judge.hear(answer, isNew: new.contains(answer.ordinal))
            }
            try Task.checkCancellation()
        }
        return judge.judgement
    }
}
