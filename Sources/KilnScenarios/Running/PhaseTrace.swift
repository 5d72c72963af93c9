import KilnModel

/// Pairs the beginnings and ends of the steps of operations.
struct PhaseTrace: Sendable {
    private struct OpenPhase {
        let server: Name
        let generation: Generation
        let step: KilnModel.Step
        let start: Duration
    }

    private var open: [String: OpenPhase] = [:]
    /// The steps that have ended, in that order.
    private(set) var phases: [Timeline.Phase] = []

    /// A step began.
    ///
    /// - Parameter key: tells apart what goes on at the same time; a server has one operation at a time.
    mutating func begin(
        _ key: String,
        of server: Name,
        _ generation: Generation,
        _ step: KilnModel.Step,
        at now: Duration
    ) {
        // On the way back nothing tells of a step that fails but the next one's beginning.
        close(key, at: now, hasFailed: true)
        open[key] = OpenPhase(server: server, generation: generation, step: step, start: now)
    }

    /// The step that goes on ended.
    mutating func close(_ key: String, at end: Duration, hasFailed: Bool) {
        guard let phase = open.removeValue(forKey: key) else { return }
        phases.append(
            Timeline.Phase(
                server: phase.server,
                generation: phase.generation,
                step: phase.step,
                start: phase.start,
                duration: end - phase.start,
                hasFailed: hasFailed
            )
        )
    }

    /// What goes on by now has failed.
    mutating func end(at now: Duration) {
        for key in open.keys.sorted() { close(key, at: now, hasFailed: true) }
    }
}
