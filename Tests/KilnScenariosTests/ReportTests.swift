import Foundation
import KilnDocuments
import KilnEngine
import KilnModel
import Testing

@testable import KilnScenarios

@Suite("A scenario's report")
struct ReportTests {
    private func step(
        _ numbers: [Int],
        _ name: String,
        _ outcome: ScenarioReport.Outcome,
        _ begin: Int,
        _ end: Int,
        detail: String? = nil,
        children: [StepResult] = []
    ) -> StepResult {
        let root = YAMLNode(position: Position(line: 7, column: 5), content: .list([]))
        return StepResult(
            id: StepID(numbers),
            kind: "exec",
            place: StepPlace(Value(node: root, path: "steps[0]", problems: ProblemList(file: "a.yaml"))),
            name: name,
            outcome: outcome,
            begin: .milliseconds(begin),
            end: .milliseconds(end),
            detail: detail,
            children: children
        )
    }

    private func report(error: KilnError? = nil) throws -> ScenarioReport {
        let web = try Name("web")
        let digest = try #require(ImageDigest(String(repeating: "a", count: 64)))
        return ScenarioReport(
            kiln: "1.0",
            scenario: try Name("replace-keeps-data"),
            lab: try Name("replace-keeps-data-1a2b3c"),
            outcome: error == nil ? .passed : .error,
            exit: error?.exit ?? .done,
            ledgers: [
                LedgerResult(
                    name: web,
                    server: web,
                    finding: LedgerFinding(acknowledged: 412, faults: [:], unacknowledged: 1),
                    times: [:],
                    steps: [],
                    facts: nil
                )
            ],
            unavailableMS: error == nil ? 8421 : nil,
            steps: [
                step([1], "up web", .passed, 0, 5_210),
                step(
                    [2],
                    String(repeating: "long ", count: 30),
                    .failed,
                    5_210,
                    130_210,
                    detail: "expected 2\nfound 1",
                    children: [step([2, 1], String(repeating: "inner ", count: 30), .passed, 5_210, 6_000)]
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
                "availability", "banks", "error", "evidence", "exit", "files", "finally", "kept", "kiln", "lab",
                "ledger",
                "ledgers", "outcome", "phases", "scenario", "seed", "servers", "steps", "timeout_scale",
                "unavailable_ms", "variant",
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
        let last = map["steps"]?.array?.last
        #expect(last?["detail"] == "expected 2\nfound 1" && last?["ms"] == 125_000 && last?["begin_ms"] == 5_210)
        #expect(last?["id"] == "2" && last?["kind"] == "exec" && last?["place"]?["line"] == 7)
        #expect(last?["children"]?.array?.map { $0["id"] } == ["2.1"])
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
