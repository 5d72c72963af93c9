import ArgumentParser
import Foundation
import KilnEngine
import KilnModel
import KilnScenarios
import KilnTestSupport
import Testing

@testable import KilnCLI

@Suite("kiln report, and the files of kiln run and kiln replace, on a fake world")
struct ReportVerbTests {
    private let session: WorldSession

    init() throws { session = try WorldSession() }

    private func file(_ name: String) -> String { "\(session.world.root)/\(name)" }

    private func scenario(_ name: String, steps: String = "[up]") throws -> String {
        let text = """
            kiln: 1
            name: \(name)
            lab: { servers: { web: { image: "tiny:1", ready: [agent, cloud-init], ready-timeout: 100s } } }
            steps: \(steps)

            """
        try Data(text.utf8).write(to: URL(fileURLWithPath: file("\(name).yaml")))
        return file("\(name).yaml")
    }

    private func text(_ name: String) throws -> String { try String(contentsOfFile: file(name), encoding: .utf8) }

    @Test("a run is reported on as JUnit and as a page, and shown again afterwards")
    func run() async throws {
        let bad = try scenario("bad", steps: "[up, { exec: { server: web, command: ['false'] } }]")
        let line = ["run", bad, "--junit", file("a.xml"), "--html", file("a.html"), "--format", "json", "--quiet"]
        let ending = try await session.run(line)
        #expect(ending.status == 1)
        let report = try ending.json(ScenarioReport.self)
        #expect(try text("a.xml").contains("tests=\"2\" failures=\"1\""))
        #expect(
            try text("a.html").contains("generation 1")
                && text("a.html").contains("Failed: web: exit status 0 expected")
        )

        let again = try await session.kiln("report", "bad", "--html", file("b.html"), "--format", "json")
        #expect(again.status == 0 && again.errors.contains(file("b.html")))
        #expect(try again.json(ScenarioReport.self) == report)
        #expect(try text("b.html") == text("a.html"))
        #expect(try await session.kiln("report", report.lab.text).output.contains("bad failed"))
    }

    @Test("several runs are one page and one document")
    func several() async throws {
        let line = [
            "run", try scenario("one"), try scenario("two"), "--junit", file("a.xml"), "--html", file("a.html"),
        ]
        #expect(try await session.run(line + ["--quiet"]).status == 0)
        #expect(try text("a.xml").components(separatedBy: "<testsuite ").count == 3)
        #expect(try text("a.html").contains("<h1>2 runs</h1>"))
    }

    @Test("a server's life is a page, and so is a replacement")
    func server() async throws {
        #expect(try await session.kiln("up", "-f", session.file, "--quiet").status == 0)
        let replace = try await session.kiln(
            "replace",
            "web",
            "--image",
            "tiny:bad",
            "--html",
            file("r.html"),
            "--quiet"
        )
        #expect(replace.status == 11)
        #expect(try text("r.html").contains("Reverted: healthy failed") && text("r.html").contains("✗ HEALTHY"))
        let report = try await session.kiln("report", "web", "--html", file("s.html"))
        #expect(report.status == 0 && report.output.contains("reverted"))
        #expect(try text("s.html").contains("Generation 1 serves") && text("s.html").contains("2: generation 2"))
        let missing = try await session.kiln("report", "wub", "--format", "json")
        #expect(missing.status == 64 && missing.output.contains("report.missing"))
    }

    @Test("where a report can't be written is told before anything is done", arguments: ["--junit", "--html"])
    func refused(_ option: String) async throws {
        try FileManager.default.createSymbolicLink(atPath: file("link"), withDestinationPath: file("target"))
        let path = try scenario("one")
        for target in [file("none/a"), session.world.root, file("link"), "/dev/null", ""] {
            let ending = try await session.run(["run", path, option, target, "--format", "json"])
            #expect(ending.status == 64 && ending.output.contains("report.not-writable"), "\(target)")
            #expect(!ending.errors.contains("step 1"))
        }
    }

    @Test("GitHub Actions gets an annotation and a table; what can't be written is told, and hides no other result")
    func github() async throws {
        let bad = RunHistory(
            ScenarioReport(
                kiln: "0",
                scenario: try Name("bad"),
                lab: try Name("bad-1"),
                outcome: .error,
                exit: .unreachable,
                unavailableMS: nil,
                steps: [],
                servers: [],
                phases: [],
                error: .init(KilnError("a.b", "it broke")),
                evidence: nil
            )
        )
        let recorded = RecordedSession()
        try Data("before\n".utf8).write(to: URL(fileURLWithPath: file("summary")))
        var outputs = RunOutputs(environment: ["GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": file("summary")])
        #expect(await outputs.hand([bad], recorded.session()) == 0)
        #expect(recorded.errors == "::error title=bad::it broke\n")
        #expect(try text("summary").hasPrefix("before\n## kiln: 0 of 1 passed"))
        outputs.environment["GITHUB_STEP_SUMMARY"] = file("none/summary")
        #expect(await outputs.hand([bad], recorded.session()) != 0)
        outputs.environment = [:]
        #expect(await outputs.hand([bad], RecordedSession().session()) == 0)
    }

    @Test(
        "a mistake is a usage error",
        arguments: [
            ["report"], ["run", "a", "--dry-run", "--html", "b"], ["replace", "a", "--dry-run", "--html", "b"],
        ]
    )
    func mistake(_ line: [String]) {
        #expect { try KilnCommand.parseAsRoot(line) } throws: { KilnCommand.exitCode(for: $0).rawValue == 64 }
    }
}
