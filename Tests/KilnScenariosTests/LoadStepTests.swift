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

    // Behind a front a client that this host was too busy for asks late, and not never.
    private static func text(_ steps: [String], ready: String = probed, more: String = "") -> String {
        let server =
            "volumes: { data: /data }\nports: { http: 80 }\nhold: 1s\nready: \(ready)\nready-timeout: 100s\(more)"
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
        // Of a host that is too busy nothing follows; so it is tried again.
        let load =
            "{ load: { server: web, rate: 50, steps: [{ sleep: 300ms }, { note: done }] }, save: { all: requests }, retry: { times: 9, every: 100ms } }"
        let report = try await run(["up", load, "note: '${saved.all} requests'"]) { event in
            if case .found(.availability) = event.kind { strips.withLock { $0 += 1 } }
        }
        #expect(report.outcome == .passed, "\(report)")
        #expect(report.steps[1].detail?.hasPrefix("0 of ") == true && report.steps[1].children.count == 2)
        let words = try #require(report.steps[2].detail).split(separator: " ")
        #expect(try #require(words.first.flatMap { Int($0) }) > 5, "\(words)")
        #expect(strips.withLock { $0 } >= 1)
    }

    @Test("a service that is away under it makes it fail")
    func fails() async throws {
        let steps = "steps: [{ stop: [web] }, { sleep: 200ms }, { start: [web] }]"
        let report = try await run(["up", "load: { server: web, rate: 50, \(steps) }"])
        #expect(report.outcome == .failed && report.exit == .unmet, "\(report)")
    }

    @Test("one request that fails is one too many, unless so many may; where nothing follows from them it fails, too")
    func judged() throws {
        func outcome(_ fields: String, failed: Int, inconclusive: String? = nil) throws -> String {
            let text = Self.text(["up", "load: { server: web, \(fields)steps: [{ note: a }] }"])
            let step = try #require(try read(text).steps.last?.action as? LoadStep)
            let result = AvailabilityResult(
                due: 100,
                sent: 100,
                failed: failed,
                givenUp: 0,
                failures: [.refused: failed],
                failedNew: failed,
                failedKept: 0,
                longestGapMS: 10,
                p50MS: 1,
                p99MS: 2,
                slowestMS: 3,
                versions: [],
                inconclusive: inconclusive
            )
            do {
                return try step.judged(result).outputs["failed"] ?? ""
            } catch { return "\(error)" }
        }
        #expect(try outcome("", failed: 0) == "0")
        #expect(try outcome("", failed: 1).contains("at most 0 failed requests expected, 1 of 100 found: 1 refused"))
        #expect(try outcome("failed-at-most: 2, ", failed: 2) == "2")
        #expect(try outcome("failed-at-most: 2, ", failed: 3).contains("at most 2 failed requests expected"))
        #expect(
            try outcome("", failed: 0, inconclusive: "busy").contains("a conclusive measurement expected, but busy")
        )
    }

    @Test("where what holds its requests is not installed nothing is begun")
    func missing() async throws {
        world.fronts.uninstall()
        let report = try await run(["up", "note: never"])
        #expect(report.outcome == .error && report.error?.code == ErrorCode.frontNoProgram.rawValue, "\(report)")
        #expect(report.steps.map(\.outcome) == [.skipped, .skipped])
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
