import KilnEngine
import KilnModel

/// What a page tells of a rollout.
struct RolloutSection {
    let report: RolloutReport
    let phases: [ScenarioReport.Phase]
    let strip: AvailabilityStrip?
    let seen: AvailabilityResult?

    private let measure = ReportPage.Measure(sharedBy: 1)

    init(
        _ report: RolloutReport,
        phases: [ScenarioReport.Phase],
        strip: AvailabilityStrip?,
        seen: AvailabilityResult?
    ) {
        self.report = report
        self.phases = phases
        self.strip = strip
        self.seen = seen
    }

    /// All of it.
    var section: PageSection {
        var section = PageSection(
            title: "\(report.server)",
            subtitle: "rollout \(report.id), to \(PageText.line(report.target.image.short, 80))",
            sentence: PageText.line(report.sentence),
            tone: tone,
            tiles: tiles,
            listHead: "Replacements of members"
        )
        section.pictures = pictures
        section.rows = rows
        section.notes =
            seen.flatMap(\.inconclusive).map { ["what users saw means nothing: \(PageText.line($0))"] } ?? []
        return section
    }

    private var tone: PageSection.Tone {
        switch report.outcome {
        case .completed: .good
        case .rolledBack, .aborted, .degraded: .bad
        case nil: .open
        }
    }

    private var cause: String? { report.failure.map { PageText.first($0.reason) } }

    private var tiles: [PageSection.Tile] {
        let members = report.new.count + report.old.count
        let isUnmeasured = seen == nil || seen?.inconclusive != nil
        let took = phases.map { $0.startMS + $0.ms }.max() ?? 0
        return [
            .init("members", "New members", "\(report.new.count) of \(members)", tone),
            .init(
                "failed",
                "Failed requests",
                seen.map { "\($0.failed) of \($0.sent)" } ?? "not measured",
                isUnmeasured ? .open : seen?.failed == 0 ? .good : .bad
            ),
            .init(
                "gap",
                "Longest gap",
                seen.map { ReportText.time($0.longestGapMS) } ?? "not measured",
                isUnmeasured ? .open : .good
            ),
            .init("took", "Took", ReportText.time(took)),
            .init("cause", "First cause", cause ?? "none", cause == nil ? .good : .bad),
        ]
    }

    private var pictures: [PageSection.Picture] {
        let axis = PageAxis(
            phases.map { $0.startMS + $0.ms } + [strip.map { $0.startMS + $0.bucketMS * $0.buckets.count } ?? 0]
        )
        let strips = strip.map { [StripLane($0, axis, most: measure.buckets).lane] } ?? []
        let lanes = PhaseLanes(phases, axis, most: measure.lanes).lanes + strips
        return lanes.isEmpty ? [] : [.init(ticks: axis.ticks, lanes: lanes, legend: PhaseLanes.legend)]
    }

    /// A row for each machine that a member got, in the order in which they were begun.
    private var rows: [PageSection.Row] {
        let machines = Dictionary(grouping: phases) { "\($0.server) \($0.operation)" }
            .sorted { ($0.value.first?.startMS ?? 0, $0.key) < ($1.value.first?.startMS ?? 0, $1.key) }
        return machines.prefix(measure.rows).enumerated().map { index, machine in
            let failed = machine.value.first(where: \.failed)
            let start = machine.value.map(\.startMS).min() ?? 0
            let end = machine.value.map { $0.startMS + $0.ms }.max() ?? 0
            let tone: PageSection.Tone = failed == nil ? .good : .bad
            return PageSection.Row(
                number: "\(index + 1)",
                depth: 1,
                rowMark: tone.mark,
                rowTone: tone.rawValue,
                name: PageText.line(machine.key, 80),
                time: ReportText.time(end - start),
                place: "from \(ReportText.time(start)) on",
                detail: failed.map { "\(PageText.line($0.phase, 30)) failed" } ?? ""
            )
        }
    }
}
