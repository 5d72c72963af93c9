import Foundation
import KilnModel
import KilnTestSupport
import Testing

@testable import KilnScenarios

@Suite("What steps say of images")
struct ImageStepTests {
    @Test(
        "it is said in a home of the run's own only",
        arguments: ["revoke: { image: 'tiny:2', reason: a hole }", "promote: { image: 'tiny:2', to: proven }"]
    )
    func ownHome(_ step: String) async throws {
        let steps = ["up", step]
        let scenario = try read(FaultWorld.text(steps))
        #expect(scenario.needsOwnHome)
        #expect(scenario.namedImages.map(\.description) == ["tiny:2"])
        #expect(try read(FaultWorld.text(["up", "retry: { times: 2, steps: [{ \(step) }] }"])).needsOwnHome)
        let report = try await FaultWorld().run(steps)
        #expect(report.error?.code == ErrorCode.faultImpossible.rawValue, "\(report)")
        #expect(report.error?.message.contains("no home of its own") == true)
    }

    @Test(
        "what is missing is refused",
        arguments: [
            ("revoke: { image: 'tiny:2' }", "reason"), ("promote: { image: 'tiny:2' }", "to"),
            ("promote: { image: 'tiny:2', to: Proven }", "to"),
        ]
    )
    func refused(step: String, field: String) throws {
        let found = try problems(FaultWorld.text(["up", step]))
        #expect(found.contains { $0.contains(field) }, "\(found)")
    }

    @Test("the scenario of the library can be read, and needs such a home")
    func example() throws {
        let file = SchemaTests.folder.appending(path: "images/image-revoked.yaml").path
        #expect(try ScenarioFile.scenario(at: file).needsOwnHome)
    }
}
