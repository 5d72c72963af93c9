import Foundation
import KilnModel
import KilnSystem
import KilnTestSupport
import Testing

@testable import KilnScenarios

@Suite("Reports for CI, as programs of others read them")
struct ForeignReaderTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private struct Case: Decodable, Equatable {
        let name: String
        let results: [String]
        let messages: [String?]
    }

    private func cases(_ reports: [ScenarioReport]) async throws -> [Case] {
        let file = try directory.file("junit.xml", Array(JUnitReport(reports).xml.utf8))
        let script = """
            import json, sys
            from junitparser import JUnitXml
            print(json.dumps([{"name": case.name, "results": [type(found).__name__ for found in case.result],
                               "messages": [found.message for found in case.result]}
                              for suite in JUnitXml.fromfile(sys.argv[1]) for case in suite]))
            """
        // Debian's Python, of which its modules are; another one may come first on somebody's path.
        let output = try directory.file("cases.json", [])
        try await Command(
            "/usr/bin/python3",
            ["-c", "import sys\nsys.stdout = open(sys.argv[2], 'w')\n" + script, file, output]
        )
        .run()
        return try JSONDecoder().decode([Case].self, from: Data(contentsOf: URL(filePath: output)))
    }

    @Test("junitparser finds a case for each step that holds none, with what became of it")
    func junit() async throws {
        let hostile = "a\u{1b}[31m<b>&\"'\u{0}]]>"
        let inner = [
            ReportFixture.step([2, 1], "write"),
            ReportFixture.step([2, 2], "read", .failed, detail: "2 expected\n\(hostile)"),
        ]
        let steps = [
            ReportFixture.step([1], "up"), ReportFixture.step([2], "both", .failed, children: inner),
            ReportFixture.step([3], "down", .skipped),
        ]
        let report = try ReportFixture.report(.failed, exit: .unmet, steps: steps)
        let found = try await cases([report])
        #expect(found.map(\.name) == ["1 up", "2.1 both › write", "2.2 both › read", "3 down"])
        #expect(found.map(\.results) == [[], [], ["Failure"], ["Skipped"]])
        #expect(found[2].messages == ["2 expected"])
    }

    @Test("junitparser reads ten thousand")
    func many() async throws {
        let steps = (1...10_000).map { ReportFixture.step([$0], "note \($0)", $0 % 100 == 0 ? .failed : .passed) }
        let found = try await cases([try ReportFixture.report(.failed, exit: .unmet, steps: steps)])
        #expect(found.count == 10_000 && found.count { $0.results == ["Failure"] } == 100)
    }

    @Test("a renderer of Markdown makes one table of the summary, in which every text is what it was")
    func summary() async throws {
        let said = "a | b\n**c** ![x](http://evil.example/y) @me #1 `code` <img src=x> ~~d~~ https://evil.example"
        let report = try ReportFixture.report(
            .failed,
            exit: .unmet,
            steps: [ReportFixture.step([1], "x", .failed, detail: said)]
        )
        let summary = GitHubReport([report, try ReportFixture.report(steps: [])]).summary
        let file = try directory.file("summary.md", Array(summary.utf8))
        let extensions = ["table", "autolink", "strikethrough", "tagfilter"].flatMap { ["-e", $0] }
        let html = String(decoding: try await Command("cmark-gfm", extensions + [file]).run().output, as: UTF8.self)
        let tags = Set(html.matches(of: #/<([a-z0-9]+)/#).map { String($0.1) })
        #expect(tags == ["h2", "table", "thead", "tbody", "tr", "th", "td"], "\(html)")
        #expect(html.components(separatedBy: "<tr>").count - 1 == 3)
        let shown = html.replacing("&lt;", with: "<").replacing("&gt;", with: ">")
        #expect(shown.contains("Failed: a | b</td>"), "\(html)")
        let escaped = GitHubReport.markdown(
            "**c** ![x](http://evil.example/y) @me #1 `code` <img src=x> ~~d~~ https://evil.example"
        )
        let line = try directory.file("line.md", Array(escaped.utf8))
        let rendered = try await Command("cmark-gfm", extensions + [line]).run().output
        #expect(
            String(decoding: rendered, as: UTF8.self)
                == "<p>**c** ![x](http://evil.example/y) @me #1 `code` &lt;img src=x&gt; ~~d~~ https://evil.example</p>\n"
        )
    }
}
