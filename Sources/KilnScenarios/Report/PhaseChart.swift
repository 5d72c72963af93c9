import KilnModel

/// The phases of operations as bars on one axis of time, in at most 100 columns.
public struct PhaseChart: Sendable {
    private static let longestBar = 40

    private let phases: [ScenarioReport.Phase]

    /// A chart of phases, in the order in which they are shown.
    public init(_ phases: [ScenarioReport.Phase]) { self.phases = phases }

    /// A line for each phase: what it is, how long it took, and when.
    public var lines: [String] {
        let start = phases.map(\.startMS).min() ?? 0
        let end = phases.map { $0.startMS + $0.ms }.max() ?? start
        let scale = Double(PhaseChart.longestBar) / Double(max(1, end - start))
        return phases.map { phase in
            let name = "\(phase.server) \(phase.operation) \(phase.phase)\(phase.failed ? " failed" : "")"
            let label = ReportText.right(name, 46)
            let offset = min(PhaseChart.longestBar - 1, Int((Double(phase.startMS - start) * scale).rounded()))
            let length = min(max(1, Int((Double(phase.ms) * scale).rounded())), PhaseChart.longestBar - offset)
            let bar = String(repeating: " ", count: offset) + String(repeating: "█", count: length)
            return "\(label) \(ReportText.left(ReportText.time(phase.ms), 8))  \(bar)"
        }
    }
}
