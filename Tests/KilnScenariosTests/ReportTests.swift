import Foundation
import KilnEngine
import KilnModel
import KilnScenarios
import Testing

@Suite("A scenario's report")
struct ReportTests {
    private func report(error: KilnError? = nil) throws -> ScenarioReport {
        let web = try Name("web")
        let digest = try #require(ImageDigest(String(repeating: "a", count: 64)))
        return ScenarioReport(
            kiln: "1.0",
            scenario: try Name("replace-keeps-data"),
            outcome: error == nil ? .passed : .error,
            exit: error?.exit ?? .done,
            ledger: LedgerVerdict(acknowledged: 412, lost: 0, torn: 0, duplicated: 0, unacknowledged: 1),
            unavailableMS: error == nil ? 8421 : nil,
            steps: [
                .init(name: "up web", outcome: .passed, ms: 5_210),
                .init(
                    name: String(repeating: "long ", count: 30),
                    outcome: .failed,
                    ms: 125_000,
                    detail: "expected 2\nfound 1"
                ),
            ],
            servers: [
                .init(
                    name: web,
                    generation: Generation(2),
                    image: .init(name: try Name("tiny"), version: "2", digest: digest),
                    instanceID: "i-1"
                )
            ],
            phases: [
                .init(server: web, operation: "replace", phase: "PREPARE", startMS: 5_300, ms: 700),
                .init(server: web, operation: "replace", phase: "START", startMS: 6_000, ms: 4_000, failed: true),
            ],
            error: error.map { .init($0) },
            evidence: nil
        )
    }

    @Test("the keys of the JSON are those that CI reads, also where there is no value")
    func keys() throws {
        let value = try JSONDecoder().decode(JSONValue.self, from: try report().json())
        guard case .object(let map) = value else { throw KilnError("test", "no map") }
        #expect(
            map.keys.sorted() == [
                "error", "evidence", "exit", "kiln", "ledger", "outcome", "phases", "scenario", "servers", "steps",
                "unavailable_ms",
            ]
        )
        #expect(map["error"] == .null)
        #expect(map["unavailable_ms"] == 8421)
        #expect(map["exit"] == 0)
        #expect(map["ledger"]?["duplicated"] == 0)
        #expect(map["servers"]?.array?.first?["instance_id"] == "i-1")
        #expect(map["servers"]?.array?.first?["image"]?["version"] == "2")
        #expect(map["phases"]?.array?.first?["start_ms"] == 5300)
        #expect(map["phases"]?.array?.map { $0["failed"] } == [false, true])
        #expect(map["steps"]?.array?.last?["detail"] == "expected 2\nfound 1")
    }

    @Test("a report is read back as it was written")
    func roundTrip() throws {
        let written = try report(error: KilnError("guest.gone", "the guest is gone", hint: "look", exit: .reverted))
        #expect(try JSONDecoder().decode(ScenarioReport.self, from: written.json()) == written)
    }

    @Test("the text has the verdict on a line of its own and keeps to 100 columns")
    func text() throws {
        let lines = ReportText(try report(), color: false).text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.contains("acknowledged 412, lost 0, torn 0, duplicated 0"))
        #expect(lines.contains("unavailable for 8.4 s"))
        #expect(lines.allSatisfy { $0.count <= 100 && !$0.contains("\u{1b}") })
        #expect(lines.contains { $0.hasSuffix("4.0 s        " + String(repeating: "█", count: 34)) }, "\(lines)")
    }

    @Test("colour is used only where it was asked for")
    func color() throws {
        #expect(ReportText(try report(), color: true).text.contains("\u{1b}[32mpassed\u{1b}[0m"))
    }

    @Test("an error is shown with its next step")
    func error() throws {
        let text = ReportText(try report(error: KilnError("a.b", "it broke", hint: "mend it")), color: false).text
        #expect(text.contains("it broke\nnext: mend it\n"))
    }
}
