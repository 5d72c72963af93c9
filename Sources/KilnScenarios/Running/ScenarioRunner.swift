import Foundation
import KilnEngine
import KilnFaults
import KilnModel
import KilnSystem

/// Runs a scenario step by step and reports what happened.
///
/// Each run has a lab of its own, called after the scenario, so that one scenario can run twice at once. Where a step fails the
/// rest is not tried. At the end machines and volumes are removed; after a failure the volumes are retained, as by
/// `volume delete`, and so is what helps to understand it.
public struct ScenarioRunner: Sendable {
    /// When the lab of a run stays as it is.
    public enum Keep: String, Sendable, CaseIterable {
        /// It is always removed.
        case never
        /// It stays after a failure.
        case failed
        /// It always stays.
        case always
    }

    /// What a run is told.
    public struct Options: Sendable {
        /// When machines and volumes stay as they are.
        public let keep: Keep
        /// The version of Kiln, for the report.
        public let version: String
        /// Is asked before each step.
        public let gate: StepGate?
        /// Is told of the first step that failed.
        public let pause: FailurePause?
        /// Under what it goes on.
        public let conditions: RunConditions

        /// Options from their parts.
        public init(
            keep: Keep = .never,
            version: String,
            gate: StepGate? = nil,
            pause: FailurePause? = nil,
            conditions: RunConditions = RunConditions()
        ) {
            self.keep = keep
            self.version = version
            self.gate = gate
            self.pause = pause
            self.conditions = conditions
        }
    }

    let scenario: Scenario
    let engine: LabEngine
    let network: any NetworkProbe
    let timeline: Timeline
    let events: RunEvents
    let options: Options
    /// The host that faults are made in.
    package var host: any HostControl = LinuxHost()
    /// The home that faults of the host may break.
    package var home: (any OwnHome)?
    /// What does replacements in processes that can be killed.
    package var process: (any ReplacementProcess)?

    /// A runner.
    ///
    /// - Parameters:
    ///   - timeline: also fed by the engine's progress sink.
    ///   - events: where everything is told; also fed by the engine's progress sink.
    ///   - kiln: does the replacements whose kiln is to be killed.
    public init(
        scenario: Scenario,
        engine: LabEngine,
        network: any NetworkProbe,
        timeline: Timeline,
        events: RunEvents = RunEvents(),
        options: Options,
        kiln: OwnKiln? = nil
    ) {
        self.scenario = scenario
        self.engine = engine
        self.network = network
        self.timeline = timeline
        self.events = events
        self.options = options
        process = kiln
    }

    /// Runs all steps.
    ///
    /// Never throws: what goes wrong is in the report.
    public func run() async -> ScenarioReport {
        var report: ScenarioReport
        var log: RunLog?
        events.hide(RunSecrets(scenario))
        do {
            let lab = try await RunLab.make(for: scenario.name, engine: engine)
            log = await makeLog(lab.name)
            report = await run(in: lab)
        } catch {
            report = await unbegun(error)
        }
        report = events.secrets.hidden(report)
        if let failure = await log?.settled() { tell(failure) }
        events.emit(.runEnded(report))
        _ = await log?.settled()
        if report.evidence != nil {
            await RunEvidence(engine: engine, lab: report.lab, secrets: events.secrets).keepEvents()
        }
        return report
    }

    // A run is worth as much without: its report is shown, and only not kept.
    private func makeLog(_ lab: Name) async -> RunLog? {
        let (files, version) = (RunLogFiles(folder: engine.reports), options.version)
        do {
            let log = try await BlockingWork.run { try RunLog(files, of: lab, version: version) }
            events.add(log.take)
            return log
        } catch {
            tell(error)
            return nil
        }
    }

    private func tell(_ failure: any Error) {
        let message = (failure as? KilnError)?.message ?? "\(failure)"
        events.record(.note("'kiln report' won't tell all of this run: \(message)"))
    }

    private func run(in lab: RunLab) async -> ScenarioReport {
        events.emit(
            .runBegan(
                title: scenario.title,
                scenario: scenario.name,
                variant: scenario.variant,
                lab: lab.name,
                conditions: options.conditions
            )
        )
        let context = context(lab.name)
        var end = RunEnd()
        do {
            // Before anything has taken its time.
            try engine.requireFronts(of: scenario.lab.servers.values)
            try await context.startExternals()
            do { try await context.take(scenario.steps, below: .root) } catch { end.failure = error }
        } catch {
            end.failure = error
            await context.skip(scenario.steps, below: .root)
        }
        end.steps = await context.takeResults(of: .root)
        // Before what is done at the end, which finds the lab without them.
        let (left, count) = await context.endFaults(from: scenario.steps.count)
        let late = await context.finish(scenario.finally, below: .root, from: scenario.steps.count + count)
        // Those that were made at the end.
        let (last, _) = await context.endFaults(from: scenario.steps.count + count + scenario.finally.count)
        end.finally = await context.takeResults(of: .root)
        end.failure = RunFailure.worst([end.failure, left, late, last])
        await context.stopLedgers()
        timeline.end()
        await close(lab, context, &end)
        return await ScenarioReport(end, context, version: options.version, timeline: timeline)
    }

    private func context(_ lab: Name) -> RunContext {
        RunContext(
            scenario: scenario,
            lab: lab,
            engine: engine,
            network: network,
            events: events,
            host: host,
            home: home,
            process: process,
            gate: options.gate,
            pause: options.pause,
            conditions: options.conditions
        )
    }

    private func unbegun(_ error: any Error) async -> ScenarioReport {
        let context = context(scenario.name)
        var end = RunEnd()
        end.failure = error
        await context.skip(scenario.steps, below: .root)
        end.steps = await context.takeResults(of: .root)
        return await ScenarioReport(end, context, version: options.version, timeline: timeline)
    }

    /// Keeps what helps to understand a failure, and removes or keeps the lab.
    private func close(_ lab: RunLab, _ context: RunContext, _ end: inout RunEnd) async {
        let evidence = RunEvidence(engine: engine, lab: lab.name, secrets: events.secrets)
        if end.failure != nil || options.keep == .always {
            if end.failure != nil {
                for excerpt in await evidence.consoles() { events.emit(.found(.console(excerpt))) }
                await context.keepAcknowledgements()
            }
            end.evidence = await evidence.keep()
        }
        // Also out of what is left of replacements that turned back.
        await evidence.hideSecrets()
        // Also of a lab that is kept: it is the run that has them.
        do {
            try await context.endExternals(keepsLogs: end.failure != nil)
        } catch { end.failure = end.failure ?? error }
        do {
            if options.keep == .always || options.keep == .failed && end.failure != nil {
                try lab.keep()
                end.isKept = true
            } else {
                try await lab.remove(purging: end.failure == nil)
            }
        } catch { end.failure = end.failure ?? error }
    }
}

/// What came of a run, but for what its steps found.
struct RunEnd {
    var steps: [StepResult] = []
    var finally: [StepResult] = []
    var evidence: String?
    var isKept = false
    var failure: (any Error)?
}
