import KilnEngine
import KilnModel

/// What a page tells of one replacement.
struct ReplacementSection {
    private let report: ReplacementReport
    private let phases: [ScenarioReport.Phase]
    private let strip: AvailabilityStrip?
    private let gapMS: Int?

    init(_ report: ReplacementReport, phases: [ScenarioReport.Phase], strip: AvailabilityStrip?, gapMS: Int?) {
        self.report = report
        self.phases = phases
        self.strip = strip
        self.gapMS = gapMS
    }

    /// All of it.
    var section: PageSection {
        let how = report.from.map { "generation \($0) → \(report.to), \(report.strategy.rawValue)" } ?? "first machine"
        var section = PageSection(
            title: "\(report.server)",
            subtitle: how,
            sentence: sentence,
            tone: tone,
            tiles: tiles,
            listHead: "Steps"
        )
        section.pictures = pictures
        section.rows = phases.enumerated().map(row)
        section.consoles =
            (report.turn?.cause).map { cause in
                let excerpt = ConsoleExcerpt(server: report.server.ownName, generation: report.to, text: cause)
                return [.init(machine: "generation \(report.to): what caused it", said: excerpt.text)]
            } ?? []
        section.notes = notes
        return section
    }

    private var tone: PageSection.Tone { report.outcome == .committed ? .good : .bad }

    private var sentence: String {
        switch report.outcome {
        case .committed: "Committed: generation \(report.to) serves"
        case .aborted: "Aborted: \(cause)"
        case .reverted: "Reverted: \(cause)"
        // The cause is long, and stands below.
        case .halted: "Halted: somebody has to decide what comes next"
        }
    }

    private var cause: String {
        report.turn.map { "\($0.step.rawValue) failed: \(PageText.first($0.reason))" }
            ?? PageText.first(report.reason ?? "")
    }

    private var tiles: [PageSection.Tile] {
        [
            .init("lost", "Lost", "not measured", .open),
            .init("gap", "Longest gap", gapMS.map(ReportText.time) ?? "not measured", gapMS == nil ? .open : .good),
            .init("took", "Took", ReportText.time(report.milliseconds)),
            .init("cause", "First cause", report.outcome == .committed ? "none" : cause, tone),
        ]
    }

    private var pictures: [PageSection.Picture] {
        let axis = PageAxis(
            phases.map { $0.startMS + $0.ms } + [strip.map { $0.startMS + $0.bucketMS * $0.buckets.count } ?? 0]
        )
        let lanes =
            PhaseLanes(phases, axis, most: 4).lanes + (strip.map { [StripLane($0, axis, most: 200).lane] } ?? [])
        return lanes.isEmpty ? [] : [.init(ticks: axis.ticks, lanes: lanes, legend: PhaseLanes.legend)]
    }

    private func row(_ index: Int, _ phase: ScenarioReport.Phase) -> PageSection.Row {
        let tone: PageSection.Tone = phase.failed ? .bad : .good
        return PageSection.Row(
            number: "\(index + 1)",
            depth: 1,
            rowMark: tone.mark,
            rowTone: tone.rawValue,
            name: PageText.line(phase.phase, 30),
            time: ReportText.time(phase.ms),
            place: "",
            detail: phase.failed ? PageText.block(report.turn?.reason ?? "") : ""
        )
    }

    private var notes: [String] {
        let hint = report.turn?.hint.map { "next: \(PageText.line($0, 300))" }
        let evidence = report.evidence.map { "evidence in \(PageText.line($0, 300))" }
        return [hint, evidence].compactMap(\.self)
            + report.discarded.prefix(20).map { "retained: \(PageText.line($0))" }
    }
}
