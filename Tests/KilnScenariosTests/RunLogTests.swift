import Foundation
import KilnEngine
import KilnModel
import KilnSystem
import KilnTestSupport
import Testing

@testable import KilnScenarios

@Suite("What is written down of a run")
struct RunLogTests {
    private let world: FakeWorld
    private var files: RunLogFiles { RunLogFiles(folder: world.engine.reports) }

    init() throws {
        world = try FakeWorld()
        for version in ["1", "2"] { try world.images.add(version) }
    }

    private func run(_ steps: [String]) async throws -> ScenarioReport {
        let text = scenario(
            server: "ready: [agent, cloud-init]\nready-timeout: 100s",
            steps: "\n" + steps.map { "  - \($0)" }.joined(separator: "\n")
        ).replacing("image: tiny", with: "image: 'tiny:1'")
        return try await world.run(text)
    }

    private func history(_ lab: Name, isGoingOn: Bool = false) throws -> RunHistory {
        try #require(try files.history(of: lab, isGoingOn: isGoingOn))
    }

    @Test("a run that has ended is read back with its report, by its own name and as the latest of its scenario")
    func ended() async throws {
        let first = try await run(["up"])
        let report = try await run([
            "up", "replace: { server: web, image: 'tiny:2' }", "exec: { server: web, command: ['false'] }",
        ])
        let history = try history(report.lab)
        #expect(history.end == .ended && history.report == report && history.began != nil)
        #expect(files.run(named: report.lab.text) == report.lab && files.run(named: first.lab.text) == first.lab)
        #expect(files.run(named: "test") != nil && files.run(named: "tes") == nil && files.run(named: "../test") == nil)
        #expect(!world.engine.isGoingOn(run: report.lab))
    }

    @Test("a run in a home of its own goes on while its lock there is held")
    func ownHome() throws {
        let lab = try Name("full-abc")
        let folder = world.state.root + "/worlds/4711/runs"
        try DurableFile.makeDirectory(folder)
        let lock = try FileLock("\(folder)/\(lab).lock", subject: "the run")
        let other = try Name("full-abd")
        #expect(world.engine.isGoingOn(run: lab) && !world.engine.isGoingOn(run: other))
        withExtendedLifetime(lock) {}
    }

    @Test("of a run that was killed there is what it had found by then", arguments: [0, 1, 40])
    func killed(_ torn: Int) async throws {
        let report = try await run([
            "up", "repeat: { times: 2, steps: [{ exec: { server: web, command: [echo, a] } }] }", "down",
        ])
        let path = files.path(of: report.lab)
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        let third = try #require(
            lines.firstIndex { $0.contains(#""event":"step-began""#) && $0.contains(#""id":"3""#) }
        )
        let kept = lines[...third].joined(separator: "\n") + "\n" + lines[third + 1].prefix(torn)
        try Data(kept.utf8).write(to: URL(fileURLWithPath: path))
        let history = try history(report.lab)
        #expect(history.end == .interrupted && history.report.exit == .interrupted)
        #expect(history.report.steps.map(\.outcome) == [.passed, .passed, .error])
        #expect(history.report.steps[1].children.count == 2)
        #expect(history.report.phases.contains { $0.phase == "COMMIT" && !$0.failed })
        let page = try ReportPage([history]).html()
        #expect(page.contains("Interrupted: the run was killed, in step 3") && page.contains("had not ended"))
        #expect(!page.contains("refresh"), "what is past does not change")
        let going = try self.history(report.lab, isGoingOn: true)
        #expect(going.end == .going && going.current?.hasPrefix("3 ") == true, "\(going.current ?? "")")
    }

    @Test("a line that is foreign, damaged or of a newer version is passed over, whatever it says")
    func foreign() async throws {
        let report = try await run(["up"])
        let path = files.path(of: report.lab)
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let odd = ["{", "[]", "null", #"{"event":"news","ms":-5}"#, #"{"event":"step-ended","id":""}"#, "\u{0}"]
        try Data((odd.joined(separator: "\n") + "\n" + text).utf8).write(to: URL(fileURLWithPath: path))
        #expect(try history(report.lab).report == report)
        try Data("{}\n".utf8).write(to: URL(fileURLWithPath: path))
        #expect(throws: KilnError.self) { try history(report.lab) }
    }

    @Test("what makes a log too long is left out, but never the end")
    func full() async throws {
        let lab = try Name("long-1")
        let log = try RunLog(files, of: lab, version: "0")
        let events = RunEvents([log.take])
        events.emit(.runBegan(title: "long", scenario: try Name("long"), variant: [:], lab: lab))
        let note = String(repeating: "x", count: 1 << 20)
        for _ in 0..<40 { events.record(.note(note)) }
        let report = try ReportFixture.report(steps: [])
        events.emit(.runEnded(report))
        #expect(await log.settled() == nil)
        let size = try FileManager.default.attributesOfItem(atPath: files.path(of: lab))[.size] as? Int
        #expect((size ?? .max) < RunLog.largest + (1 << 20))
        let history = try history(lab)
        #expect(history.isCut && history.report == report)
    }

    @Test("the oldest runs are forgotten, and a log is never written through a link")
    func oldest() throws {
        try DurableFile.makeDirectory(files.folder)
        for number in 1...5 {
            let path = files.path(of: try Name("run-\(number)"))
            try Data("{}\n".utf8).write(to: URL(fileURLWithPath: path))
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSince1970: Double(number))],
                ofItemAtPath: path
            )
        }
        files.forgetOldest(but: 2)
        #expect(files.runs.map(\.text) == ["run-4", "run-5"])
        let target = world.root + "/target"
        try FileManager.default.createSymbolicLink(
            atPath: files.path(of: try Name("linked")),
            withDestinationPath: target
        )
        #expect(throws: KilnError.self) { try RunLog(files, of: try Name("linked"), version: "0") }
        #expect(!FileManager.default.fileExists(atPath: target))
    }
}
