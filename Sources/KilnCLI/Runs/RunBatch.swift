import KilnEngine
import KilnModel
import KilnScenarios
import Synchronization

/// Runs scenarios, some at a time, and shows what came of them.
struct RunBatch: Sendable {
    let session: Session
    var keep = ScenarioRunner.Keep.never
    /// Whether Enter is waited for before each step.
    var isStepped = false
    var jobs = 1
    /// Whether no further one begins once one did not pass.
    var endsAtFailure = false

    /// Runs all; returns the exit status.
    func run(_ scenarios: [Scenario]) async throws -> Int32 {
        let reports = try await reports(of: scenarios)
        if let only = reports.first, scenarios.count == 1 {
            try session.showLast(ScenarioResult(report: only, isColored: session.terminal.isOutputColored))
            return only.exit.rawValue
        }
        let result = RunResults(
            reports: reports,
            left: scenarios.count - reports.count,
            isColored: session.terminal.isOutputColored
        )
        try session.showLast(result)
        return result.exit.rawValue
    }

    /// The reports in the order of the scenarios, without those that were not begun.
    private func reports(of scenarios: [Scenario]) async throws -> [ScenarioReport] {
        try await withThrowingTaskGroup(of: (Int, ScenarioReport).self) { group in
            var waiting = scenarios.enumerated().makeIterator()
            var found: [Int: ScenarioReport] = [:]
            var isEnding = false
            func begin() {
                guard !isEnding, let (index, scenario) = waiting.next() else { return }
                group.addTask { (index, try await report(of: scenario, run: index + 1)) }
            }
            for _ in 0..<jobs { begin() }
            while let (index, report) = try await group.next() {
                found[index] = report
                isEnding = Task.isCancelled || endsAtFailure && report.outcome != .passed
                begin()
            }
            return found.sorted { $0.key < $1.key }.map(\.value)
        }
    }

    private func report(of scenario: Scenario, run: Int) async throws -> ScenarioReport {
        let timeline = Timeline()
        let events = RunEvents(run: run, [session.runSink])
        let workspace = try await session.workspace { progress in
            timeline.record(progress)
            events.record(progress)
        }
        let runner = ScenarioRunner(
            scenario: scenario,
            engine: workspace.engine,
            network: workspace.parts.network,
            timeline: timeline,
            events: events,
            options: .init(keep: keep, version: KilnCommand.version, gate: isStepped ? session.enterGate : nil)
        )
        return await runner.run()
    }
}

extension Session {
    /// Where a run's events go: lines of JSON on standard output, or a line for each step on standard error.
    fileprivate var runSink: RunSink {
        { event in
            if format == .ndjson, let line = try? Renderer.line(event) { output.text(line) }
            switch event.kind {
            case .stepBegan(let id, _, let name, _): say("step \(id) \(name)")
            case .runBegan(let title, _, _, let lab): say("run \(title) in the lab \(lab)")
            case .stepEnded, .progress, .runEnded: break
            }
        }
    }

    /// Shows what came of runs, whose events were told already where they are lines.
    fileprivate func showLast(_ result: some Renderable) throws {
        if format != .ndjson { try show(result) }
    }

    /// Waits for Enter before a step.
    fileprivate var enterGate: StepGate {
        { step, id in
            progress.clear()
            errors.text(
                "\(id) \(ConsoleText.singleLine("\(step)")), line \(step.place.line): Enter begins it, Ctrl-C ends the run "
            )
            try await StandardInput.line(within: .seconds(24 * 3600))
        }
    }
}
