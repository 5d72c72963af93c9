import Foundation
import FoundationXML
import KilnModel
import Testing

@testable import KilnScenarios

@Suite("Reports for CI")
struct CISinkTests {
    /// The elements of a document, each with its attributes; nothing where it is not well-formed.
    private final class Elements: NSObject, XMLParserDelegate {
        var found: [(name: String, attributes: [String: String])] = []
        var text = ""

        func parser(
            _ parser: XMLParser,
            didStartElement name: String,
            namespaceURI: String?,
            qualifiedName: String?,
            attributes: [String: String] = [:]
        ) { found.append((name, attributes)) }

        func parser(_ parser: XMLParser, foundCharacters string: String) { text += string }

        func all(_ name: String) -> [[String: String]] { found.filter { $0.name == name }.map(\.attributes) }
    }

    private func elements(_ reports: [ScenarioReport]) throws -> Elements {
        let elements = Elements()
        let parser = XMLParser(data: Data(JUnitReport(reports).xml.utf8))
        parser.delegate = elements
        try #require(parser.parse(), "\(JUnitReport(reports).xml)")
        return elements
    }

    private let hostile = "a\u{1b}[31m<b>&\"'\u{0}\u{fffe}]]>"

    private func failing() throws -> ScenarioReport {
        let inner = [
            ReportFixture.step([2, 1], "write", .passed, 900, 950),
            ReportFixture.step([2, 2], hostile, .failed, 950, 1_000, detail: "2 expected\n\(hostile)"),
        ]
        return try ReportFixture.report(
            .failed,
            exit: .unmet,
            steps: [
                ReportFixture.step([1], "up web", .passed, 0, 900, detail: "unavailable 5 ms"),
                ReportFixture.step([2], "both", .failed, 900, 1_000, detail: "2 expected", children: inner),
                ReportFixture.step([3], "down", .skipped, 1_000, 1_000),
            ],
            error: KilnError(.runUnmet, "2 expected", exit: .unmet)
        )
    }

    @Test(
        "JUnit has a suite for each run and a case for each step that holds no others, by their names from outside in"
    )
    func shape() throws {
        let found = try elements([try failing(), try ReportFixture.report(steps: [ReportFixture.step([1], "up")])])
        let top = try #require(found.all("testsuites").first)
        #expect(top["tests"] == "5" && top["failures"] == "1" && top["skipped"] == "1" && top["errors"] == "0")
        #expect(
            found.all("testsuite").map { $0["tests"] } == ["4", "1"]
                && found.all("testsuite").map { $0["time"] } == ["1.000", "1.000"]
        )
        let cases = found.all("testcase")
        #expect(
            cases.map { $0["name"]?.prefix(18) } == [
                "1 up web", "2.1 both › write", "2.2 both › a<b>&\"'", "3 down", "1 up",
            ]
        )
        #expect(cases.allSatisfy { $0["file"] == "a.yaml" && $0["line"] == "7" && $0["classname"] == "keeps-data" })
        #expect(cases.map { $0["time"] } == ["0.900", "0.050", "0.050", "0.000", "1.000"])
        #expect(found.all("failure").map { $0["message"] } == ["2 expected"] && found.text.contains("a.yaml:7:5"))
        #expect(found.all("skipped").count == 1 && found.all("system-out").count == 1)
    }

    @Test("what could not even begin is a case, too")
    func unbegun() throws {
        let error = KilnError(.toolMissing, "no QEMU", hint: "install it", exit: .internalError)
        let found = try elements([try ReportFixture.report(.error, exit: .internalError, steps: [], error: error)])
        #expect(
            found.all("testsuites").first?["errors"] == "1" && found.all("error").map { $0["message"] } == ["no QEMU"]
        )
    }

    @Test("an annotation stands at the step that failed, and nothing that a guest says begins another command")
    func annotations() throws {
        let text = GitHubReport([try failing(), try ReportFixture.report(steps: [])]).annotations
        #expect(text.hasPrefix("::error file=a.yaml,line=7,col=5,title=keeps-data::2 expected%0A"))
        #expect(text.split(separator: "\n").count == 1)
        let report = try ReportFixture.report(
            .failed,
            steps: [ReportFixture.step([1], "x", .failed, detail: "100%\n::set-env name=A::b")]
        )
        #expect(GitHubReport([report]).annotations.hasSuffix("::100%25%0A::set-env name=A::b\n"))
    }

    @Test("the summary is a table that no text leaves, and no text of which leads anywhere")
    func summary() throws {
        let text = "a | b\n# c ![x](http://evil) @me `code` <img src=x>"
        let report = try ReportFixture.report(
            .failed,
            exit: .unmet,
            steps: [ReportFixture.step([1], "x", .failed, detail: text)]
        )
        let lines = GitHubReport([report, try ReportFixture.report(steps: [])]).summary.split(separator: "\n")
        #expect(lines.count == 5 && lines[0] == "## kiln: 1 of 2 passed")
        #expect(
            lines[3].hasPrefix("| ✗ | keeps-data | Failed: a \\| b |")
                && lines[4].hasPrefix("| ✓ | keeps-data | Passed")
        )
        let hostile = GitHubReport.markdown("![x](http://evil) @me <img>")
        #expect(hostile == "\\!\\[x\\]\\(http:&#47;&#47;evil\\) &#64;me &lt;img&gt;")
    }
}
