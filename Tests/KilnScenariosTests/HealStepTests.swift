import KilnEngine
import KilnModel
import KilnTestSupport
import Testing

@testable import KilnScenarios

@Suite("A step in which an autopilot heals, on fakes")
struct HealStepTests {
    private let faults: FaultWorld

    init() throws { faults = try FaultWorld() }

    private func run(_ steps: [String], heal: String = "{}") async throws -> ScenarioReport {
        let text = FaultWorld.text(steps).replacing(
            "volumes: { data: /data }",
            with: "volumes: { data: /data }\n      heal: \(heal)"
        )
        return try await faults.world.run(text, host: faults.host)
    }

    @Test("a machine that lost its power serves again, and the step tells what was done")
    func powerCut() async throws {
        let steps = ["up", "fault: { power-cut: { server: web } }", "heal: { server: web, within: 60s }"]
        let report = try await run(steps)
        #expect(report.outcome == .passed, "\(report)")
        #expect(report.steps.last?.detail?.hasSuffix(": start") == true, "\(report)")
    }

    @Test("one that serves needs nothing")
    func nothing() async throws {
        let report = try await run(["up", "heal: { server: web, within: 60s }"])
        #expect(report.outcome == .passed, "\(report)")
        #expect(report.steps.last?.detail?.hasSuffix("nothing was to be done") == true, "\(report)")
    }

    @Test("one that does not come back in time is an unmet expectation, with the autopilot's last word")
    func late() async throws {
        let steps = [
            "up", "fault: { freeze: { server: web } }", "{ heal: { server: web, within: 1s }, timeout: 30s }",
        ]
        let report = try await run(steps, heal: "{ after: 1h }")
        #expect(report.outcome == .failed && report.error?.message.contains("it is not ready") == true, "\(report)")
    }
}
