import Foundation
import KilnEngine
import KilnModel

/// Runs a scenario step by step and reports what happened.
///
/// The scenario has a lab of its own, of its own name. Where a step fails the rest is not tried. At the end machines and
/// volumes are removed; after a failure the volumes are retained, as by `volume delete`, and so is what helps to
/// understand it.
public struct ScenarioRunner: Sendable {
    /// What a run is told.
    public struct Options: Sendable {
        /// Whether machines and volumes stay as they are after a failure.
        public let keepsOnFailure: Bool
        /// The version of Kiln, for the report.
        public let version: String

        /// Options from their parts.
        public init(keepsOnFailure: Bool, version: String) {
            self.keepsOnFailure = keepsOnFailure
            self.version = version
        }
    }

    let scenario: Scenario
    let engine: LabEngine
    let network: any NetworkProbe
    let timeline: Timeline
    let options: Options

    /// A runner.
    ///
    /// - Parameter timeline: also fed by the engine's progress sink.
    public init(
        scenario: Scenario,
        engine: LabEngine,
        network: any NetworkProbe,
        timeline: Timeline,
        options: Options
    ) {
        self.scenario = scenario
        self.engine = engine
        self.network = network
        self.timeline = timeline
        self.options = options
    }

    /// Runs all steps.
    ///
    /// Never throws: what goes wrong is in the report. A volume that an earlier run of the same scenario kept is used
    /// as it is, so a run begins by refusing to start beside one.
    public func run(announce: @Sendable (Step) -> Void) async -> ScenarioReport {
        var run = RunState()
        do {
            try await refuseLeftovers()
            run.hasBegun = true
            for step in scenario.steps {
                announce(step)
                try await take(step, &run)
            }
        } catch {
            run.failure = error
        }
        return await finish(&run)
    }

    private func take(_ step: Step, _ run: inout RunState) async throws {
        let start = ContinuousClock.now
        do {
            try Task.checkCancellation()
            let detail = try await perform(step, &run)
            run.steps.append(.init(name: step.description, outcome: .passed, ms: since(start), detail: detail))
        } catch {
            run.steps.append(.init(name: step.description, outcome: .failed, ms: since(start), detail: "\(error)"))
            throw error
        }
    }

    /// What the list of acknowledged records is called among the engine's scratch files.
    func acknowledgedName(_ server: Name) -> String { "\(scenario.name).\(server).acknowledged" }

    private func since(_ start: ContinuousClock.Instant) -> Int {
        Int((ContinuousClock.now - start) / .milliseconds(1))
    }

    private func refuseLeftovers() async throws {
        let servers = try engine.servers().filter { $0.lab == scenario.name }
        let volumes = engine.volumes.names(of: scenario.name)
        guard servers.isEmpty, volumes.isEmpty else {
            throw KilnError(
                .runLeftovers,
                "an earlier run of \(scenario.name) left \(servers.count) servers and \(volumes.count) volumes",
                hint: "look at them, then remove them with 'kiln down' and 'kiln volume delete'",
                exit: .blocked
            )
        }
    }

    private func finish(_ run: inout RunState) async -> ScenarioReport {
        for ledger in run.ledgers.values { await ledger.stop() }
        let isLabOwn = run.hasBegun
        let evidence =
            run.failure == nil || !isLabOwn ? nil : await RunEvidence(engine: engine, lab: scenario.name).keep()
        timeline.end()
        if isLabOwn && (run.failure == nil || !options.keepsOnFailure) { await cleanUp(&run) }
        return ScenarioReport(
            run,
            scenario: scenario,
            version: options.version,
            timeline: timeline,
            evidence: evidence
        )
    }

    // Shielded from cancellation: an interrupted run leaves as little behind as a failed one.
    private func cleanUp(_ run: inout RunState) async {
        let engine = engine
        let name = scenario.name
        let acknowledged = scenario.lab.servers.keys.map { acknowledgedName($0) }
        let hasPassed = run.failure == nil
        let failure = await Task { () -> (any Error)? in
            do {
                if try engine.servers().contains(where: { $0.lab == name }) { try await engine.down(name) }
                for volume in engine.volumes.names(of: name) {
                    let kept = try engine.volumes.retain(lab: name, volume)
                    if hasPassed { try engine.volumes.purge(kept) }
                }
                if hasPassed { try acknowledged.forEach(engine.removeScratchFile) }
                return nil
            } catch { return error }
        }.value
        run.failure = run.failure ?? failure
    }
}

/// What a run has found so far.
struct RunState {
    /// Whether the lab is this run's: what an earlier one left is not to be touched.
    var hasBegun = false
    var steps: [ScenarioReport.StepResult] = []
    var ledgers: [Name: LedgerSession] = [:]
    var verdict: LedgerVerdict?
    var unavailable: Duration?
    var servers: [Name: ServerStatus] = [:]
    var failure: (any Error)?
}
