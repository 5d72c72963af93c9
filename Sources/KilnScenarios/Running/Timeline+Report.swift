import KilnModel

extension Timeline {
    /// The phases that have ended, as reports show them.
    public var reported: [ScenarioReport.Phase] { phases.map(ScenarioReport.Phase.init) }
}

extension ScenarioReport.Phase {
    /// A phase as reports show it.
    init(_ phase: Timeline.Phase) {
        self.init(
            server: phase.server,
            operation: "generation \(phase.generation)",
            phase: phase.step.rawValue.uppercased(),
            startMS: Int(phase.start / .milliseconds(1)),
            ms: Int(phase.duration / .milliseconds(1)),
            failed: phase.hasFailed
        )
    }
}
