import Foundation
import KilnModel

/// Makes the history of a run from the lines of its log; a torn or foreign line is passed over.
struct RunLogReader {
    private var header: RunLog.Header?
    private var begin: RecordedEvent?
    private var report: ScenarioReport?
    private var steps = StepTrace()
    private var trace = PhaseTrace()
    private var last = 0
    private var turns: [RunHistory.Turn] = []
    private var strips: [AvailabilityStrip] = []
    private var curves: [Name: RunHistory.Curve] = [:]
    private var drifts: [DriftFinding] = []
    private var consoles: [ConsoleExcerpt] = []
    private var isCut = false

    /// Takes the next line.
    mutating func take(_ line: Data) {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        guard let event = try? decoder.decode(RecordedEvent.self, from: line) else {
            header = header ?? (try? decoder.decode(RunLog.Header.self, from: line))
            return
        }
        last = max(last, event.ms ?? 0)
        switch event.event {
        case "run-began": begin = event
        case "step-began": steps.begin(event)
        case "step-ended": steps.end(event)
        case "progress": takeProgress(event)
        case "acknowledged": takeCount(event)
        case "record-full": isCut = true
        case "run-ended": report = event.report
        default:
            strips += [event.availability].compactMap(\.self)
            drifts += [event.drift].compactMap(\.self)
            consoles += [event.console].compactMap(\.self)
        }
    }

    private mutating func takeProgress(_ event: RecordedEvent) {
        guard let server = event.server else { return }
        switch (event.step, event.generation, event.text) {
        case (.some, .some, _) where event.stepMS != nil:
            trace.close(server.text, at: event.time, hasFailed: false)
        case (let step?, let generation?, _): trace.begin(server.text, of: server, generation, step, at: event.time)
        case (let step?, nil, let text?):
            trace.close(server.text, at: event.time, hasFailed: true)
            turns.append(.init(ms: event.ms ?? 0, server: server, text: "\(step.rawValue) failed, \(text)"))
            if let cause = event.cause {
                consoles.append(ConsoleExcerpt(server: server, generation: nil, text: cause))
            }
        default: break
        }
    }

    private mutating func takeCount(_ event: RecordedEvent) {
        guard let ledger = event.ledger, let server = event.server, let total = event.total else { return }
        curves[ledger, default: .init(ledger: ledger, server: server, points: [])].points.append(
            .init(ms: event.ms ?? 0, total: total)
        )
    }

    /// What the lines told; nothing where they don't tell which run it is.
    func history(isGoingOn: Bool) -> RunHistory? {
        guard let report = report ?? unfinished(isGoingOn: isGoingOn) else { return nil }
        var history = RunHistory(report)
        history.end = self.report != nil ? .ended : isGoingOn ? .going : .interrupted
        history.current = self.report == nil ? steps.current : nil
        history.began = header?.began
        history.turns = turns
        history.strips = strips
        history.curves = curves.values.sorted { $0.ledger < $1.ledger }
        history.drifts = drifts
        history.consoles = consoles
        history.isCut = isCut
        return history
    }

    /// The report of a run that has not ended, or never will.
    private func unfinished(isGoingOn: Bool) -> ScenarioReport? {
        guard let scenario = begin?.scenario, let lab = begin?.lab else { return nil }
        var trace = trace
        trace.end(at: .milliseconds(last))
        let gaps = strips.map { $0.longestGapMS }
        return ScenarioReport(
            kiln: header?.kiln ?? "unknown",
            scenario: scenario,
            variant: begin?.variant ?? [:],
            lab: lab,
            seed: begin?.seed,
            timeoutScale: begin?.timeoutScale,
            outcome: .error,
            exit: .interrupted,
            unavailableMS: gaps.max(),
            steps: steps.results(at: .milliseconds(last), isGoingOn: isGoingOn),
            servers: [],
            phases: trace.phases.map(ScenarioReport.Phase.init),
            error: .init(isGoingOn ? Self.goesOn : Self.killed),
            evidence: nil
        )
    }

    private static let killed = KilnError(
        .runKilled,
        "the run was interrupted: it was killed before its end",
        hint: "'kiln gc' removes its machines and retains its volumes",
        exit: .interrupted
    )
    private static let goesOn = KilnError(.runGoesOn, "the run has not ended yet", exit: .blocked)
}
