import KilnEngine
import KilnModel
import KilnScenarios
import Synchronization

extension Session {
    /// Opens the host, has a server replaced, and shows what became of it: its phases, and how long its service was away.
    ///
    /// - Parameters:
    ///   - html: a file for a page of it.
    ///   - body: replaces it.
    /// - Returns: the exit status.
    func replace(
        _ server: String,
        html: String? = nil,
        _ body: @escaping @Sendable (LabEngine, MemberID) async throws -> ReplacementReport
    ) async throws -> Int32 {
        let file = try html.map { try ReportFile($0) }
        let timeline = Timeline()
        let events = RunEvents(format == .ndjson ? [lineSink] : [])
        let workspace = try await workspace { progress in
            timeline.record(progress)
            events.record(progress)
        }
        let engine = workspace.engine
        let id = try engine.member(named: server)
        let began = Mutex(Duration.zero)
        let obstacle = await Unavailability.obstacle(of: id, engine)
        // Only the longest time without an answer is told, so a short look before and after will do, and few requests: under emulation
        // each takes time from the machine that boots. A page shows more, and counts failures, too.
        let (report, log) = try await Unavailability.log(
            of: id,
            engine,
            workspace.parts.network,
            rate: html == nil ? 5 : AvailabilityPlan.usualRate,
            control: .milliseconds(200),
            awaitsLast: html != nil
        ) {
            began.withLock { $0 = timeline.elapsed }
            return try await body(engine, id)
        }
        timeline.end()
        // A rehearsal's own phases are not the server's.
        let phases = timeline.reported.filter { $0.server == id.ownName }
        try show(ReplacementResult(report: report, phases: phases, unavailable: log?.longestGap, unmeasured: obstacle))
        let late = await write(file, report, phases, log, work: began.withLock { $0 })
        return report.exit == .done ? late : report.exit.rawValue
    }

    /// Every event is a line of JSON on standard output.
    var lineSink: RunSink {
        { [output] event in
            if let line = try? Renderer.line(event) { output.text(line) }
        }
    }

    /// Writes the page of a replacement; one that can't be written is told, and changes nothing about what was done.
    private func write(
        _ file: ReportFile?,
        _ report: ReplacementReport,
        _ phases: [ScenarioReport.Phase],
        _ log: AvailabilityLog?,
        work: Duration
    ) async -> Int32 {
        guard let file else { return 0 }
        let page = ReportPage(
            report,
            phases: phases,
            strip: log.map { AvailabilityStrip($0, of: report.server.server, origin: work - $0.work.lowerBound) },
            gapMS: log.map { Int($0.longestGap / .milliseconds(1)) }
        )
        do {
            try await file.write(try page.html())
            return 0
        } catch { return tell(error) }
    }
}
