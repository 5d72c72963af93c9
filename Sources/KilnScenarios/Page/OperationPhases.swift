import KilnModel

/// The steps of a replacement as the journal has them: one after the other, without the time between them.
struct OperationPhases {
    private let replacement: Replacement
    private let steps: [(step: KilnModel.Step, ms: Int, hasFailed: Bool)]

    init(_ operation: ServerHistory.Operation) {
        replacement = operation.replacement
        var steps = replacement.completed.map { (step: $0.step, ms: max(0, $0.milliseconds), hasFailed: false) }
        if let turn = replacement.turn {
            // It came after what was done forward, and before the way back.
            let index = steps.firstIndex { KilnModel.Step.wayBack.contains($0.step) } ?? steps.count
            steps.insert((step: turn.step, ms: max(0, turn.milliseconds ?? 0), hasFailed: true), at: index)
        }
        self.steps = steps
    }

    /// How long all of them took, in milliseconds.
    var end: Int { steps.reduce(0) { $0 + $1.ms } }

    /// The phases, from 0.
    func phases(of server: Name) -> [ScenarioReport.Phase] {
        var start = 0
        return steps.map { step in
            defer { start += step.ms }
            return ScenarioReport.Phase(
                server: server,
                operation: "\(replacement.intent.number): generation \(replacement.intent.to)",
                phase: step.step.rawValue.uppercased(),
                startMS: start,
                ms: step.ms,
                failed: step.hasFailed
            )
        }
    }
}
