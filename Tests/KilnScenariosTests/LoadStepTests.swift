import KilnEngine
import KilnModel
import KilnTestSupport
import Synchronization
import Testing

@testable import KilnScenarios

@Suite("Steps under a load, on fakes")
struct LoadStepTests {
    private let world: FakeWorld

    init() throws {
        world = try FakeWorld()
        for version in ["1", "2"] { try world.images.add(version) }
    }

    private static let probed = "[agent, cloud-init, { http: { port: http, path: /health } }]"

    private static func text(_ steps: [String], ready: String = probed, more: String = "") -> String {
        let server = "volumes: { data: /data }\nports: { http: 80 }\nready: \(ready)\nready-timeout: 100s\(more)"
        return scenario(server: server, steps: "\n" + steps.map { "  - \($0)" }.joined(separator: "\n"))
            .replacing("image: tiny", with: "image: 'tiny:1'")
    }

    private func run(
        _ steps: [String],
        more: String = "",
        sink: @escaping RunSink = { _ in }
    ) async throws -> ScenarioReport { try await world.run(Self.text(steps, more: more), sink: sink) }

    @Test("a server is asked while steps are performed, and what came of it is told, saved and shown")
    func asks() async throws {
        let strips = Mutex(0)
        let load =
            "{ load: { server: web, rate: 50, steps: [{ sleep: 300ms }, { note: done }] }, save: { all: requests } }"
        let report = try await run(["up", load, "note: '${saved.all} requests'"]) { event in
            if case .found(.availability) = event.kind { strips.withLock { $0 += 1 } }
        }
        #expect(report.outcome == .passed, "\(report)")
        #expect(report.steps[1].detail?.hasPrefix("0 of ") == true && report.steps[1].children.count == 2)
        let words = try #require(report.steps[2].detail).split(separator: " ")
        #expect(try #require(words.first.flatMap { Int($0) }) > 5, "\(words)")
        #expect(strips.withLock { $0 } == 1)
    }

    @Test("one request that fails is one too many, unless so many may")
    func fails() async throws {
        let steps = "steps: [{ stop: [web] }, { sleep: 200ms }, { start: [web] }]"
        let report = try await run(["up", "load: { server: web, rate: 50, \(steps) }"])
        #expect(report.outcome == .failed && report.exit == .unmet, "\(report)")
        #expect(report.steps[1].detail?.contains("at most 0 failed requests expected") == true, "\(report)")
        let excused = try await run(["up", "load: { server: web, rate: 50, failed-at-most: 1000, \(steps) }"])
        #expect(excused.outcome == .passed, "\(excused)")
    }

    @Test("where a step under it fails, that is what is told")
    func failsWithin() async throws {
        let report = try await run([
            "up", "load: { server: web, steps: [{ exec: { server: web, command: ['false'] } }] }",
        ])
        #expect(report.outcome == .failed)
        #expect(report.steps[1].detail?.contains("exit status 0 expected") == true, "\(report)")
    }

    @Test(
        "a load that has become another one is what an autopilot goes by; where nothing is to be done it ends at once"
    )
    func autoscale() async throws {
        let more = "\nreplicas: 2\nautoscale: { max: 4, target: { requests: 20 } }"
        let report = try await run(["up", "autoscale: { server: web, members: 2, within: 60s }"], more: more)
        #expect(report.outcome == .passed, "\(report)")
        #expect(report.steps[1].detail?.hasSuffix("nothing was to be done") == true, "\(report)")
        let late = try await run(["up", "autoscale: { server: web, members: 3, within: 1s }"], more: more)
        #expect(late.outcome == .failed && late.exit == .deadline, "\(late)")
    }

    @Test(
        "what could never be is refused where it stands",
        arguments: [
            ("load: { server: web, steps: [{ note: a }] }", "[agent]", "", "no 'http' probe of a published port"),
            ("load: { server: web, rate: 101, steps: [{ note: a }] }", probed, "", "whole number from 1 to 100"),
            ("load: { server: web }", probed, "", "the field 'steps' is missing"),
            ("autoscale: { server: web, members: 2, within: 1s }", probed, "", "declares no 'autoscale'"),
            (
                "autoscale: { server: web, members: 5, within: 1s }", probed,
                "\nreplicas: 2\nautoscale: { max: 4, target: { requests: 20 } }", "may have 1 to 4 members"
            ),
        ]
    )
    func refused(_ step: String, _ ready: String, _ more: String, _ problem: String) throws {
        let found = try problems(Self.text(["up", step], ready: ready, more: more))
        #expect(found.count == 1 && found.first?.contains(problem) == true, "\(found)")
    }
}
