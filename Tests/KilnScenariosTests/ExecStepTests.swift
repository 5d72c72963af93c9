import KilnTestSupport
import Testing

@testable import KilnScenarios

@Suite("A step that runs a command in a guest, on fakes")
struct ExecStepTests {
    private let faults: FaultWorld

    init() throws { faults = try FaultWorld() }

    @Test(
        "the command may take a minute, or as long as the step where that is longer",
        arguments: [("", "60"), (", timeout: 4m", "240"), (", timeout: 70s, retry: { times: 1, every: 1s }", "70")]
    )
    func timeout(_ attributes: String, _ expected: String) async throws {
        faults.world.guests.answer("slow") { _ in nil }
        let report = try await faults.run(["up", "{ exec: { server: web, command: [slow] }\(attributes) }"])
        #expect(report.outcome != .passed)
        #expect("\(report)".contains("no end within \(expected).0 seconds"), "\(report)")
    }
}
