import KilnEngine
import KilnFaults
import KilnModel
import KilnSystem

/// Performs a lesson's steps in its lab, as a run of a scenario performs its own; the lab stays.
public struct LessonRun: Sendable {
    /// What came of some steps.
    public struct Outcome: Sendable {
        /// The result of each, in order.
        public let results: [StepResult]
        /// Why one of them could not be judged; nothing where each was.
        public let error: KilnError?

        /// Whether all of it passed.
        public var isPassed: Bool { error == nil && results.allSatisfy { $0.outcome != .failed } }
    }

    private let lesson: Lesson
    private let engine: LabEngine
    private let network: any NetworkProbe
    private let events: RunEvents
    private let scale: TimeoutScale
    /// What does replacements in processes that can be killed.
    package var process: (any ReplacementProcess)?
    /// The host that faults are made in.
    package var host: any HostControl = LinuxHost()

    /// A run.
    ///
    /// - Parameters:
    ///   - events: where everything is told; also fed by the engine's progress sink.
    ///   - kiln: does the replacements whose kiln is to be killed.
    public init(
        _ lesson: Lesson,
        engine: LabEngine,
        network: any NetworkProbe,
        events: RunEvents,
        kiln: OwnKiln? = nil
    ) {
        self.lesson = lesson
        self.engine = engine
        self.network = network
        self.events = events
        scale = TimeoutScale(for: engine.parts.machines.platform)
        process = kiln
    }

    /// Looks at all of it, so that a trainee sees all that is missing.
    public func look(_ steps: [PlacedStep]) async throws -> Outcome { try await take(steps, all: true) }

    /// Performs steps one after the other, up to the first that fails.
    public func perform(_ steps: [PlacedStep]) async throws -> Outcome { try await take(steps, all: false) }

    private func take(_ steps: [PlacedStep], all: Bool) async throws -> Outcome {
        let scenario = lesson.scenario(of: steps)
        events.hide(RunSecrets(scenario))
        let context = RunContext(
            scenario: scenario,
            lab: lesson.name,
            engine: engine,
            network: network,
            events: events,
            host: host,
            process: process,
            conditions: RunConditions(scale: scale)
        )
        var failures: [any Error] = []
        for (index, step) in steps.enumerated() where all || failures.isEmpty {
            do { try await context.take(step, as: .root.child(index + 1)) } catch { failures.append(error) }
        }
        let (left, _) = await context.endFaults(from: steps.count)
        await context.stopLedgers()
        let results = await context.takeResults(of: .root).map { events.secrets.hidden($0) }
        try Task.checkCancellation()
        // What is not as expected stands in the results; so does a server that is off, for the trainee can start it.
        let foreign = (failures + [left].compactMap(\.self)).first { !RunFailure.isOrdinary($0) && !($0 is DataLoss) }
        return Outcome(results: results, error: foreign.map { KilnError(failure: $0) })
    }
}
