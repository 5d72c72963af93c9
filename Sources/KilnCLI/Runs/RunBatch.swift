import KilnEngine
import KilnModel
import KilnScenarios
import KilnSystem
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
    /// What their chance comes from; nothing means another number for each.
    var seed: RunSeed?
    /// How much longer their steps may take; nothing means as much as this host needs.
    var scale: TimeoutScale?
    /// What a user gets at the first step that failed.
    var shell: FailureShell?
    /// The connection that the command line named.
    var connect: String?
    var outputs = RunOutputs()
    var budget = RunBudget.ofHost
    /// What its runs know, and nobody is to read.
    private let secrets = KnownSecrets()

    /// Runs all; returns the exit status.
    func run(_ scenarios: [Scenario]) async throws -> Int32 {
        session.progress.hide(by: secrets.hidden)
        let runs = try await histories(of: scenarios)
        let status = try show(runs.map(\.report), of: scenarios.count)
        let late = await outputs.hand(runs, session)
        return status == 0 ? late : status
    }

    private func show(_ reports: [ScenarioReport], of count: Int) throws -> Int32 {
        if let only = reports.first, count == 1 {
            try session.showLast(ScenarioResult(report: only, isColored: session.terminal.isOutputColored))
            return only.exit.rawValue
        }
        let result = RunResults(
            reports: reports,
            left: count - reports.count,
            isColored: session.terminal.isOutputColored
        )
        try session.showLast(result)
        return result.exit.rawValue
    }

    /// What happened, in the order of the scenarios, without those that were not begun.
    private func histories(of scenarios: [Scenario]) async throws -> [RunHistory] {
        let demands = scenarios.map { $0.demand { KnownImages.manifest($0)?.size } }
        return try await budget.run(demands, atMost: jobs, goesOn: { !endsAtFailure || $0.report.outcome == .passed }) {
            try await history(of: scenarios[$0], run: $0 + 1)
        }
    }

    private func history(of scenario: Scenario, run: Int) async throws -> RunHistory {
        let timeline = Timeline()
        let events = RunEvents(run: run, secrets: secrets)
        let workspace = try await session.workspace { progress in
            timeline.record(progress)
            events.record(progress)
        }
        let logs = RunLogFiles(folder: workspace.engine.reports)
        let times = await BlockingWork.run { logs.stepTimes(of: scenario) }
        events.add(session.runSink(times, of: jobs > 1 ? scenario.title : nil))
        let conditions = RunConditions(
            seed: seed ?? .fresh(),
            scale: scale ?? TimeoutScale(for: workspace.parts.machines.platform)
        )
        var pause: FailurePause?
        if let shell { pause = { await shell.stop(at: $0) } }
        var runner = ScenarioRunner(
            scenario: scenario,
            engine: workspace.engine,
            network: workspace.parts.network,
            timeline: timeline,
            events: events,
            options: .init(
                keep: keep,
                version: KilnCommand.version,
                gate: isStepped ? session.enterGate : nil,
                pause: pause,
                conditions: conditions
            ),
            kiln: OwnKiln(program: Workspace.executable, connect: connect)
        )
        runner.home = OwnWorld.current
        let report = await runner.run()
        // The home goes with all that is in it, and its small file system is for the next run, too.
        if runner.home != nil { _ = try? workspace.engine.pruneRunVolumes() }
        guard outputs.html != nil else { return RunHistory(report) }
        // What is not written down has at least its report.
        let written = await BlockingWork.run { try? logs.history(of: report.lab, isGoingOn: false) }
        return written ?? RunHistory(report)
    }
}

extension Session {
    /// Where a run's events go: lines of JSON on standard output, or a line for each step on standard error.
    ///
    /// - Parameters:
    ///   - times: how long its steps took before.
    ///   - title: what stands before its steps, where several go on at the same time.
    fileprivate func runSink(_ times: StepTimes, of title: String?) -> RunSink {
        let prefix = title.map { "\($0): " } ?? ""
        return { event in
            if format == .ndjson { lineSink(event) }
            let run = event.run
            switch event.kind {
            case .stepBegan(let id, _, let name, _):
                let expected = times.time(of: id, name)
                progress.begin(.init(run: run, id: id), "\(prefix)step \(id) \(name)", expected: expected)
            case .stepEnded(let result): progress.end(.init(run: run, id: result.id), result.outcome)
            case .runBegan(let title, _, _, let lab, let conditions):
                say("run \(title) in the lab \(lab)" + (conditions.map { ", \($0.description)" } ?? ""))
            case .runEnded: progress.endRun(run)
            case .progress, .found: break
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
