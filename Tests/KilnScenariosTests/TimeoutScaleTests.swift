import KilnModel
import KilnTestSupport
import Testing

@testable import KilnScenarios

@Suite("Deadlines that are stretched")
struct TimeoutScaleTests {
    private let kvm = Platform(acceleration: .kvm)
    private let tcg = Platform(acceleration: .tcg)

    private func lab(_ server: ServerSpec) throws -> LabSpec {
        LabSpec(name: try Name("shop"), volumes: [:], servers: [try Name("web"): server])
    }

    private func scaled(_ server: ServerSpec, _ scale: TimeoutScale, on platform: Platform) throws -> ServerSpec {
        try #require(scale.of(try lab(server), on: platform).servers[try Name("web")])
    }

    @Test("without KVM they are by themselves what is usual there, and with KVM as they are written")
    func automatic() throws {
        let image = try ImageReference("tiny:1")
        #expect(TimeoutScale(for: kvm).factor == 1 && TimeoutScale(for: tcg).factor == 2.5)
        #expect(tcg.readyTimeout == .seconds(300) && kvm.readyTimeout == .seconds(120))
        let written = ServerSpec(image: image, readyTimeout: .seconds(100))
        #expect(try scaled(written, TimeoutScale(for: tcg), on: tcg).readyTimeout == .seconds(250))
        #expect(try scaled(written, TimeoutScale(for: kvm), on: kvm) == written)
        #expect(try scaled(ServerSpec(image: image), TimeoutScale(for: tcg), on: tcg).readyTimeout == nil)
        #expect(try scaled(ServerSpec(image: image), TimeoutScale(3), on: kvm).readyTimeout == .seconds(360))
        #expect(try scaled(ServerSpec(image: image), TimeoutScale(0.5), on: tcg).readyTimeout == .seconds(300))
    }

    @Test("what is waited for is stretched, and never what has to last, or what a client sees")
    func threshold() throws {
        let http = Check(.http(HTTPProbe(port: try Name("http"), path: "/")), timeout: .seconds(3))
        let server = ServerSpec(
            image: try ImageReference("tiny:1"),
            ready: [http, Check(.exec(["true"]), every: .seconds(1), timeout: .seconds(4))],
            drain: [Hook(["true"], deadline: .seconds(5))],
            minHealthy: .seconds(10),
            healthyDeadline: .seconds(30),
            stopTimeout: .seconds(20)
        )
        let found = try scaled(server, TimeoutScale(2), on: kvm)
        #expect(found.ready.map(\.timeout) == [.seconds(3), .seconds(8)] && found.ready[1].every == .seconds(1))
        #expect(found.drain.map(\.deadline) == [.seconds(10)] && found.stopTimeout == .seconds(40))
        #expect(found.minHealthy == .seconds(10) && found.healthyDeadline == .seconds(50))
        let test = Check(.agent, timeout: .seconds(1), eventually: .init(within: .seconds(6)))
        #expect(try TimeoutScale(2).ofTest(test).eventually == .init(within: .seconds(12)))
        let lasting = Check(.agent, timeout: .seconds(1), always: .init(through: .seconds(6)))
        #expect(try TimeoutScale(2).ofTest(lasting).always == lasting.always)
    }

    @Test("a run tells its factor, and a step that was late both times")
    func late() async throws {
        let world = try FakeWorld()
        try world.images.add("1")
        let text = scenario(server: "ready: [agent]", steps: "[{ sleep: 5s, timeout: 100ms }]")
        let conditions = RunConditions(scale: try TimeoutScale(2))
        let report = try await world.run(text, options: .init(version: "0", conditions: conditions))
        #expect(report.timeoutScale == 2 && report.outcome == .failed && report.exit == .deadline)
        #expect(report.steps[0].detail?.contains("within 200 ms (100 ms × 2) expected") == true, "\(report)")
        #expect(report.steps[0].ms >= 200)
    }

    @Test("a factor that is none is refused", arguments: [0, -1, 101, Double.nan, .infinity])
    func refused(_ factor: Double) {
        #expect(throws: KilnError.self) { try TimeoutScale(factor) }
    }
}
