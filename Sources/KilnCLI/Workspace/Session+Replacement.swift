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
        let seen = try await watched(server, isForPage: file != nil, countsFailures: file != nil, body)
        let (report, log) = (seen.result, seen.log)
        // A rehearsal's own phases are not the server's.
        let phases = seen.phases.filter { $0.server == seen.id.ownName }
        try show(
            ReplacementResult(
                report: report,
                phases: phases,
                unavailable: log?.longestGap,
                unmeasured: seen.obstacle
            )
        )
        let gap = log.map { Int($0.longestGap / .milliseconds(1)) }
        let late = await write(ReportPage(report, phases: phases, strip: seen.strip, gapMS: gap), to: file)
        return report.exit == .done ? late : report.exit.rawValue
    }

    /// Has all members of a server replaced, and shows what became of that.
    func rollOut(
        _ server: String,
        _ options: ReplaceOptions,
        html: String? = nil
    ) async throws -> Int32 {
        let file = try html.map { try ReportFile($0) }
        // Whatever the member, the port that is asked is the front's.
        let seen = try await watched(server + ".0", isForPage: file != nil, countsFailures: true) {
            try await $0.rollOut($1.whole, options)
        }
        let (report, result) = (seen.result, seen.log?.result)
        try show(RolloutResult(report: report, phases: seen.phases, seen: result, unmeasured: seen.obstacle))
        let page = ReportPage(report, phases: seen.phases, strip: seen.strip, seen: result)
        let late = await write(page, to: file)
        return report.exit == .done ? late : report.exit.rawValue
    }

    /// What was done to a server, and what was seen of it.
    private struct Watched<Result: Sendable>: Sendable {
        let id: MemberID
        let result: Result
        let phases: [ScenarioReport.Phase]
        let log: AvailabilityLog?
        /// Why nothing was measured, where something could have been seen.
        let obstacle: String?
        /// When it began, in the time of the phases.
        let began: Duration

        var strip: AvailabilityStrip? {
            log.map { AvailabilityStrip($0, of: id.server, origin: began - $0.work.lowerBound) }
        }
    }

    /// Opens the host and does something to a server while its users look on.
    private func watched<Result: Sendable>(
        _ server: String,
        isForPage: Bool,
        countsFailures: Bool,
        _ body: @escaping @Sendable (LabEngine, MemberID) async throws -> Result
    ) async throws -> Watched<Result> {
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
        // A short look before and after will do, and few requests: under emulation each takes time from the machine that boots. A page
        // shows more.
        let (result, log) = try await Unavailability.log(
            of: id,
            engine,
            workspace.parts.network,
            rate: isForPage ? AvailabilityPlan.usualRate : 5,
            control: .milliseconds(200),
            awaitsLast: countsFailures
        ) {
            began.withLock { $0 = timeline.elapsed }
            return try await body(engine, id)
        }
        timeline.end()
        return Watched(
            id: id,
            result: result,
            phases: timeline.reported,
            log: log,
            obstacle: obstacle,
            began: began.withLock { $0 }
        )
    }

    /// Every event is a line of JSON on standard output.
    var lineSink: RunSink {
        { [output] event in
            if let line = try? Renderer.line(event) { output.text(line) }
        }
    }

    /// Writes a page; one that can't be written is told, and changes nothing about what was done.
    private func write(_ page: ReportPage, to file: ReportFile?) async -> Int32 {
        guard let file else { return 0 }
        do {
            try await file.write(try page.html())
            return 0
        } catch { return tell(error) }
    }
}
