import Foundation
import KilnDocuments
import KilnEngine
import KilnModel
import KilnSystem
import KilnTestSupport
import Synchronization
import Testing

@testable import KilnScenarios

@Suite("The scenario runner, on fakes")
struct ScenarioRunnerTests {
    private static let server = """
        volumes: { data: /data }
        ports: { http: 80 }
        ready: [agent, cloud-init, { http: { port: http, path: /health } }]
        ready-timeout: 100s
        """

    private let world: FakeWorld

    init() throws {
        world = try FakeWorld()
        for version in ["1", "2"] { try world.images.add(version) }
        try world.images.add("bad", GuestBehaviour(.cloudInitFails))
    }

    private func runner(
        _ steps: [String],
        keep: ScenarioRunner.Keep = .never,
        network: (any NetworkProbe)? = nil,
        sink: @escaping RunSink = { _ in }
    ) throws -> ScenarioRunner {
        let text = scenario(
            server: Self.server,
            steps: "\n" + steps.map { "  - \($0)" }.joined(separator: "\n")
        ).replacing("image: tiny", with: "image: 'tiny:1'")
        let timeline = Timeline()
        let parts = world.parts { timeline.record($0) }
        return ScenarioRunner(
            scenario: try read(text),
            engine: LabEngine(state: world.state, parts: parts),
            network: network ?? parts.network,
            timeline: timeline,
            events: RunEvents([sink]),
            options: .init(keep: keep, version: "0")
        )
    }

    private func run(_ steps: [String], keep: ScenarioRunner.Keep = .never) async throws -> ScenarioReport {
        await (try runner(steps, keep: keep)).run()
    }

    private var retained: [String] { get throws { try world.engine.volumes.retained() } }

    @Test("all steps are carried out in order, and nothing is left of a run that passed")
    func passes() async throws {
        let announced = Mutex<[String]>([])
        let steps = [
            "up", "exec: { server: web, command: [echo, hello], contains: hello }",
            "replace: { server: web, image: 'tiny:2' }", "expect: { server: web, generation: 2, image: 'tiny:2' }",
            "stop: [web]", "start: [web]", "expect: { server: web, http: { port: http, path: /health } }",
            "replace: { server: web, image: 'tiny:bad', outcome: reverted }", "rollback: { server: web, to: 1 }",
            "volume-snapshot: { volume: data, name: kept }", "down",
        ]
        let runner = try runner(steps) { event in
            if case .stepBegan(_, _, let name, _) = event.kind { announced.withLock { $0.append(name) } }
        }
        let report = await runner.run()
        #expect(report.outcome == .passed && report.exit == .done, "\(report)")
        #expect(report.steps.map(\.name) == announced.withLock { $0 } && report.steps.count == 11)
        #expect(report.steps.allSatisfy { $0.outcome == .passed })
        #expect(report.servers.map(\.generation) == [Generation(4)])
        let second = report.phases.filter { $0.operation == "generation 2" }.map(\.phase)
        #expect(second.first == "PLAN" && second.contains("HANDOVER") && second.contains("COMMIT"), "\(second)")
        let failed = report.phases.filter(\.failed)
        #expect(failed.map(\.phase) == ["HEALTHY"] && failed.map(\.operation) == ["generation 3"])
        #expect(world.hypervisor.alive.isEmpty)
        #expect(try world.engine.members().isEmpty && world.engine.volumes.names(of: report.lab).isEmpty)
        #expect(report.lab.text.hasPrefix("test-"))
        #expect(try retained.isEmpty)
    }

    @Test(
        "a step that fails ends the run: the rest is skipped, machines go, volumes are set aside",
        arguments: [
            ("exec: { server: web, command: ['false'] }", "exit status 0 expected, 1 found"),
            ("exec: { server: web, command: [echo, a], contains: b }", "'b' expected in the output"),
            ("expect: { server: web, generation: 2 }", "generation 2 expected, 1 found"),
            ("expect: { server: web, image: 'tiny:2' }", "image tiny:2 expected, tiny:1 found"),
            ("replace: { server: web, image: 'tiny:bad' }", "committed expected, reverted found"),
            ("replace: { server: web, image: 'tiny:2', outcome: reverted }", "reverted expected, committed found"),
        ]
    )
    func fails(_ step: String, _ words: String) async throws {
        let report = try await run(["up", step, "down"])
        let isReverted = words.hasSuffix("reverted found")
        #expect(report.outcome == .failed && report.exit == (isReverted ? .reverted : .unmet), "\(report)")
        #expect(report.steps.map(\.outcome) == [.passed, .failed, .skipped])
        #expect(report.steps[1].detail?.contains(words) == true, "\(report.steps[1].detail ?? "")")
        #expect(world.hypervisor.alive.isEmpty)
        #expect(try world.engine.members().isEmpty)
        #expect(try retained.count == 1)
    }

    @Test("what can't be carried out is an error with a code, and no unmet expectation")
    func error() async throws {
        let report = try await run(["up", "rollback: { server: web, to: 7 }"])
        #expect(report.outcome == .error && report.error?.code != nil)
        #expect(report.exit != .unmet && report.exit != .done)
        #expect(world.hypervisor.alive.isEmpty)
    }

    @Test("a lab that is to be kept is left as it is, and the next run has one of its own beside it")
    func keeps() async throws {
        let report = try await run(["up", "expect: { server: web, generation: 2 }"], keep: .failed)
        #expect(report.outcome == .failed && report.isKept)
        #expect(world.hypervisor.alive.count == 1)
        let second = try await run(["up"])
        #expect(second.outcome == .passed && second.lab != report.lab)
        #expect(world.hypervisor.alive.count == 1)
        #expect(try world.engine.members().map(\.lab) == [report.lab])
        _ = try await world.engine.collectGarbage()
        #expect(world.hypervisor.alive.count == 1)
        let passed = try await run(["up"], keep: .always)
        #expect(passed.outcome == .passed && passed.isKept && world.hypervisor.alive.count == 2)
    }

    @Test("a run that is interrupted leaves as little behind as one that failed")
    func interrupted() async throws {
        let runner = try runner(["up", "exec: { server: web, command: [echo] }", "down"]) { event in
            if case .stepBegan(_, "exec", _, _) = event.kind { withUnsafeCurrentTask { $0?.cancel() } }
        }
        let task = Task { await runner.run() }
        let report = await task.value
        #expect(report.outcome != .passed)
        #expect(world.hypervisor.alive.isEmpty)
        #expect(try world.engine.members().isEmpty)
    }

    @Test(
        "what is expected is asked for with all that is said of it",
        arguments: [("", Duration.seconds(20)), (", timeout: 90s", .seconds(90))]
    )
    func expected(_ field: String, _ limit: Duration) async throws {
        let network = Recorder()
        let step =
            "expect: { server: web, http: { port: http, path: /, method: PUT, body: a, status: 204, tls: true\(field) } }"
        let report = await (try runner(["up", step], network: network)).run()
        #expect(
            report.outcome == .failed && report.steps[1].detail?.contains("PUT /: 204 expected, busy found") == true
        )
        let probe = HTTPProbe(
            port: try Name("http"),
            path: "/",
            method: .put,
            body: "a",
            tls: HTTPProbe.TLS(),
            status: HTTPStatuses(204)
        )
        #expect(network.asked.withLock { $0.map(\.probe) } == [probe])
        #expect(network.asked.withLock { $0.map(\.limit) } == [limit])
    }
}

/// Never holds, and remembers what it was asked.
private final class Recorder: NetworkProbe {
    let asked = Mutex<[(probe: HTTPProbe, limit: Duration)]>([])

    func http(_ probe: HTTPProbe, on port: UInt16, within limit: Duration) async -> ProbeFinding {
        asked.withLock { $0.append((probe, limit)) }
        return .notYet("busy")
    }

    func exchange(
        _ request: HTTPProbe,
        on port: UInt16,
        over connection: ConnectionUse,
        within limit: Duration
    ) async -> Result<HTTPAnswer, NoAnswer> { .failure(NoAnswer("busy")) }

    func tcp(port: UInt16, send: String?, expect: String, within limit: Duration) async -> ProbeFinding { .holds }
}
