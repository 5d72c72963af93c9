import KilnModel

/// The generations of servers, a row each: the phases that made one, and how long it served.
struct PhaseLanes {
    private struct Operation {
        let server: Name
        let name: String
        var phases: [ScenarioReport.Phase]

        var begin: Int { phases.map(\.startMS).min() ?? 0 }
        var commit: ScenarioReport.Phase? { phases.first { $0.phase == "COMMIT" && !$0.failed } }
    }

    static let legend = [
        "stripes, full height: failed", "half height: forward, held or on the way back, as the words say",
        "thin line: serves", "times count from the beginning",
    ]

    private static let wayBack = Set(KilnModel.Step.wayBack.map { $0.rawValue.uppercased() })
    private static let mostPhases = 60

    private let operations: [Operation]
    private let axis: PageAxis
    private let most: Int
    private let tellsService: Bool

    init(_ phases: [ScenarioReport.Phase], _ axis: PageAxis, most: Int, tellsService: Bool = true) {
        self.axis = axis
        self.tellsService = tellsService
        self.most = most
        var found: [Operation] = []
        for phase in phases {
            if let index = found.lastIndex(where: { $0.server == phase.server && $0.name == phase.operation }) {
                found[index].phases.append(phase)
            } else {
                found.append(Operation(server: phase.server, name: phase.operation, phases: [phase]))
            }
        }
        operations = found
    }

    /// The rows, by server and in the order in which the generations began.
    var lanes: [PageLane] {
        let sorted = operations.sorted { ($0.server, $0.begin) < ($1.server, $1.begin) }
        return sorted.prefix(most).map(lane)
    }

    private func lane(_ operation: Operation) -> PageLane {
        var lane = PageLane("\(operation.server)", PageText.line(operation.name, 60))
        let shown = operation.phases.prefix(Self.mostPhases)
        lane.bars = service(operation) + shown.enumerated().map { bar($1, $0) }
        lane.words = shown.filter { $0.failed || $0.ms >= axis.end / 100 }.map {
            "\($0.failed ? "✗ " : Self.wayBack.contains($0.phase) ? "↩ " : "")\(PageText.line($0.phase, 30)) \(ReportText.time($0.ms))"
        }
        return lane
    }

    private func bar(_ phase: ScenarioReport.Phase, _ index: Int) -> PageLane.Bar {
        let shade =
            phase.failed
            ? "failed" : Self.wayBack.contains(phase.phase) ? "back" : index.isMultiple(of: 2) ? "even" : "odd"
        return axis.bar(
            phase.startMS,
            phase.startMS + phase.ms,
            shade,
            phase.failed ? .full : .half,
            tip: "\(PageText.line(phase.phase, 30)) \(ReportText.time(phase.ms))\(phase.failed ? ", failed" : "")"
        )
    }

    // From its commit until the next one that was committed stopped it, as far as the phases tell.
    private func service(_ operation: Operation) -> [PageLane.Bar] {
        guard tellsService, let commit = operation.commit else { return [] }
        let next = operations.filter { $0.server == operation.server && $0.begin > commit.startMS && $0.commit != nil }
            .min { $0.begin < $1.begin }
        let stop = next?.phases.first { $0.phase == "STOP" }?.startMS ?? next?.begin
        return [axis.bar(commit.startMS + commit.ms, stop ?? axis.end, "serves", .thin, tip: "serves")]
    }
}
