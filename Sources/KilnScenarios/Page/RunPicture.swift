import KilnModel

/// A run along one axis of time: steps, faults and turns, servers' generations, what users saw, what was acknowledged.
struct RunPicture {
    private let run: RunHistory
    private let measure: ReportPage.Measure
    private let axis: PageAxis

    init(_ run: RunHistory, _ measure: ReportPage.Measure) {
        self.run = run
        self.measure = measure
        let steps = (run.report.steps + run.report.finally).map(\.endMS)
        let phases = run.report.phases.map { $0.startMS + $0.ms }
        let strips = run.strips.map { $0.startMS + $0.bucketMS * $0.buckets.count }
        axis = PageAxis(steps + phases + strips + run.curves.compactMap { $0.points.last?.ms })
    }

    /// The picture; none where nothing happened.
    var pictures: [PageSection.Picture] {
        let lanes = steps + marks + PhaseLanes(run.report.phases, axis, most: measure.lanes).lanes + strips + curves
        guard !lanes.isEmpty else { return [] }
        return [PageSection.Picture(ticks: axis.ticks, lanes: lanes, legend: PhaseLanes.legend)]
    }

    private var steps: [PageLane] {
        let shown = (run.report.steps + run.report.finally).filter { $0.outcome != .skipped }.prefix(measure.rows)
        guard !shown.isEmpty else { return [] }
        var lane = PageLane("Steps", "\(shown.count) of the file")
        lane.bars = shown.enumerated().map { index, step in
            let isBad = StepRows.isBad(step)
            return axis.bar(
                step.beginMS,
                step.endMS,
                isBad ? "failed" : index.isMultiple(of: 2) ? "even" : "odd",
                isBad ? .full : .half,
                tip: "\(step.id) \(PageText.line(step.name, 60)), \(step.outcome.rawValue), \(ReportText.time(step.ms))"
            )
        }
        return [lane]
    }

    /// What was broken on purpose, and what turned back.
    private var marks: [PageLane] {
        let all = StepRows.flat(run.report.steps) + StepRows.flat(run.report.finally)
        let faults = all.filter { $0.kind == "fault" && $0.outcome != .skipped }.prefix(measure.lanes).map {
            (begin: $0.beginMS, end: $0.endMS, text: "⚡ \(PageText.line($0.name, 80))", shade: "fault")
        }
        let turns = run.turns.prefix(measure.lanes).map {
            (begin: $0.ms, end: $0.ms, text: "↩ \($0.server): \(PageText.line($0.text))", shade: "back")
        }
        guard !faults.isEmpty || !turns.isEmpty else { return [] }
        var lane = PageLane("Faults and turns")
        for mark in (faults + turns).sorted(by: { $0.begin < $1.begin }) {
            lane.bars.append(axis.bar(mark.begin, mark.end, mark.shade, .full, tip: mark.text))
            lane.words.append("\(mark.text) at \(ReportText.time(mark.begin))")
        }
        return [lane]
    }

    private var strips: [PageLane] {
        run.strips.prefix(measure.strips).map { StripLane($0, axis, most: measure.buckets).lane }
    }

    private var curves: [PageLane] {
        run.curves.prefix(measure.strips).map { curve in
            let last = curve.points.last?.total ?? 0
            let verdict = run.report.ledgers.first { $0.name == curve.ledger }.map { ReportText.verdict($0.verdict) }
            var lane = PageLane("Ledger \(curve.ledger)", "acknowledged on \(curve.server)")
            lane.curves = [axis.curve(curve.points.map { ($0.ms, $0.total) }, most: measure.buckets)]
            lane.words = [verdict ?? "\(last) acknowledged, not verified"]
            return lane
        }
    }
}
