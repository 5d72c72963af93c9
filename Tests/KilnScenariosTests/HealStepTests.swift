import KilnEngine
import KilnModel
import KilnTestSupport
import Testing

@testable import KilnScenarios

@Suite("A step in which an autopilot heals, on fakes")
struct HealStepTests {
    private let faults: FaultWorld

    init() throws { faults = try FaultWorld() }

    private func run(
        _ steps: [String],
        heal: String = "{}",
        sink: @escaping RunSink = { _ in }
    ) async throws -> ScenarioReport {
        let text = FaultWorld.text(steps).replacing(
            "volumes: { data: /data }",
            with: "volumes: { data: /data }\n      heal: \(heal)"
        )
        return try await faults.world.run(text, host: faults.host, sink: sink)
    }

    @Test("a machine that lost its power serves again, and the step tells what was done")
    func powerCut() async throws {
        let steps = ["up", "fault: { power-cut: { server: web } }", "heal: { server: web, within: 60s }"]
        let report = try await run(steps)
        #expect(report.outcome == .passed, "\(report)")
        let told = try #require(report.steps.last?.detail)
        #expect(told.contains("start web: its machine is off, and nobody stopped it"), "\(told)")
    }

    @Test("one that serves needs nothing")
    func nothing() async throws {
        let report = try await run(["up", "heal: { server: web, within: 60s }"])
        #expect(report.outcome == .passed, "\(report)")
        #expect(report.steps.last?.detail?.hasSuffix("nothing was to be done") == true, "\(report)")
    }

    @Test("one that does not come back in time is an unmet expectation, with the autopilot's last word")
    func late() async throws {
        let world = faults.world
        let steps = ["up", "note: now", "heal: { server: web, within: 5s }"]
        let report = try await run(
            steps,
            heal: "{ after: 1h }",
            sink: FaultWorld.atNote {
                world.hypervisor.setBehaviour(GuestBehaviour(.silent), ofImage: world.images.disk("1"))
            }
        )
        #expect(report.outcome == .failed && report.exit == .deadline, "\(report)")
        #expect(report.steps.last?.detail?.contains("it is not ready; something is done once") == true, "\(report)")
    }

    @Test("one that falls again and again is given up, and the step ends with that, long before its time is up")
    func givenUp() async throws {
        let world = faults.world
        let steps = [
            "up", "note: now", "fault: { power-cut: { server: web } }",
            "{ heal: { server: web, within: 10m }, expect-failure: given up after 1 heal }",
        ]
        let report = try await run(
            steps,
            heal: "{ at-most: 1 }",
            sink: FaultWorld.atNote {
                world.hypervisor.setBehaviour(GuestBehaviour(.panics), ofImage: world.images.disk("1"))
            }
        )
        #expect(report.outcome == .passed, "\(report)")
    }
}
