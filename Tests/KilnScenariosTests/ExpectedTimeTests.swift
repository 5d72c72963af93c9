import Foundation
import KilnEngine
import KilnTestSupport
import Testing

@testable import KilnScenarios

@Suite("When what is expected has to hold, on fakes")
struct ExpectedTimeTests {
    private let faults: FaultWorld

    init() throws { faults = try FaultWorld() }

    private static let sign = "console: phase=late"

    /// Lets the console say something, so many milliseconds after a note.
    private func later(_ milliseconds: Int) -> RunSink {
        FaultWorld.atNote { [world = faults.world] in
            Task {
                try? await Task.sleep(for: .milliseconds(milliseconds))
                for machine in world.hypervisor.alive {
                    try? Data("phase=late\n".utf8).write(to: URL(filePath: world.state.consoleLog(machine)))
                }
            }
        }
    }

    @Test("what is expected may come to hold in time, which one look does not wait for")
    func eventually() async throws {
        let patient = "expect: { server: web, \(Self.sign), eventually: { within: 30s, every: 20ms } }"
        let report = try await faults.run(["up", "note: a", patient], sink: later(300))
        #expect(report.outcome == .passed, "\(report)")
        #expect(try await faults.run(["up", "expect: { server: web, \(Self.sign) }"]).outcome == .failed)
        let short = "expect: { server: web, \(Self.sign), eventually: { within: 100ms, every: 20ms } }"
        let late = try await faults.run(["up", short])
        #expect(late.outcome == .failed && late.error?.message.contains("phase=late") == true, "\(late)")
    }

    @Test("what has to hold for a while fails as soon as it does not, and what must not hold as soon as it does")
    func always() async throws {
        let calm = "expect: { server: web, console: '!phase=late', always: { for: 200ms, every: 20ms } }"
        #expect(try await faults.run(["up", calm]).outcome == .passed)
        let long = "expect: { server: web, console: '!phase=late', always: { for: 60s, every: 20ms } }"
        let begin = ContinuousClock.now
        let report = try await faults.run(["up", "note: a", long], sink: later(200))
        #expect(report.outcome == .failed && ContinuousClock.now - begin < .seconds(50), "\(report)")
        let never =
            "{ expect: { server: web, \(Self.sign), never: { for: 200ms, every: 20ms } }, save: { g: generation } }"
        #expect(try await faults.run(["up", never, "note: '${saved.g}'"]).outcome == .passed)
        let holds = "expect: { server: web, generation: 1, never: { for: 60s, every: 20ms } }"
        let held = try await faults.run(["up", holds])
        #expect(held.outcome == .failed && held.error?.message.contains("expected never to hold") == true, "\(held)")
    }
}
