import Foundation
import KilnEngine
import KilnModel
import KilnTestSupport
import Testing

@testable import KilnScenarios

@Suite("The events of a run, written down and read back")
struct RunLogReaderTests {
    private let folder: TemporaryDirectory
    private let lab: Name
    private var files: RunLogFiles { RunLogFiles(folder: folder.path + "/reports") }

    init() throws {
        folder = try TemporaryDirectory()
        lab = try Name("lab-1")
    }

    /// Everything that can happen, but for the end.
    private func events(_ log: RunLog) throws -> RunEvents {
        let events = RunEvents([log.take])
        let web = try Name("web")
        let id = MemberID(lab: lab, server: web)
        let step = ReportFixture.step([1], "replace web", .passed, 0, 900, kind: "replace")
        events.emit(.runBegan(title: "a (b=c)", scenario: try Name("a"), variant: [try Name("b"): "c"], lab: lab))
        events.emit(.stepBegan(id: step.id, kind: step.kind, name: step.name, place: step.place))
        events.record(.plan(id, "a plan"))
        events.record(.began(id, Generation(2), .start))
        events.record(.waiting(id, Generation(2), "for the agent"))
        events.record(.finished(id, Generation(2), .start, milliseconds: 5))
        events.record(.began(id, Generation(2), .healthy))
        let turn = TurnBack(
            direction: .revert,
            step: .healthy,
            code: "a.b",
            reason: "too slow",
            cause: "panic\u{1b}[0m"
        )
        events.record(.turnedBack(id, turn))
        events.record(.began(id, Generation(2), .stopNew))
        events.record(.note("a note"))
        events.emit(.found(.acknowledged(ledger: web, server: web, total: 3)))
        events.emit(.found(.acknowledged(ledger: web, server: web, total: 7)))
        events.emit(.found(.console(ConsoleExcerpt(server: web, generation: Generation(2), text: "login:"))))
        events.emit(.stepEnded(step))
        events.emit(.stepBegan(id: StepID([2]), kind: "exec", name: "exec web", place: step.place))
        return events
    }

    @Test("of a run that has not ended everything is there that was told, and what went on is not taken for done")
    func unfinished() async throws {
        let log = try RunLog(files, of: lab, version: "1.2")
        _ = try events(log)
        #expect(await log.settled() == nil)
        let history = try #require(try files.history(of: lab, isGoingOn: false))
        #expect(history.end == .interrupted && history.report.kiln == "1.2" && history.report.title.hasPrefix("a"))
        #expect(history.report.steps.map(\.outcome) == [.passed, .error] && history.report.steps[0].ms == 900)
        #expect(history.report.phases.map(\.phase) == ["START", "HEALTHY", "STOP-NEW"])
        #expect(history.report.phases.map(\.failed) == [false, true, true])
        #expect(history.turns.map(\.text) == ["healthy failed, revert: too slow"])
        #expect(history.curves.map { $0.points.map(\.total) } == [[3, 7]])
        #expect(history.consoles.map(\.text) == ["panic", "login:"])
        #expect(files.run(named: "lab-1") == lab && files.run(named: "other") == nil)
        let page = try ReportPage([history]).html()
        #expect(
            page.contains("Interrupted: the run was killed, in step 2") && page.contains("7 acknowledged, not verified")
        )
    }

    @Test("the same after any cut, as far as it was told", arguments: [1, 15, 30, 50, 70, 90, 100])
    func cut(_ percent: Int) async throws {
        let log = try RunLog(files, of: lab, version: "1.2")
        let events = try events(log)
        events.emit(.runEnded(try ReportFixture.report(steps: [])))
        #expect(await log.settled() == nil)
        #expect(try files.history(of: lab, isGoingOn: false)?.end == .ended)
        let path = files.path(of: lab)
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        // Without its last brace the end was not told.
        let length = (whole.count - 2) * percent / 100
        try whole.prefix(length).write(to: URL(fileURLWithPath: path))
        if whole.prefix(length).range(of: Data("run-began".utf8)) == nil {
            #expect(throws: KilnError.self) { try files.history(of: lab, isGoingOn: false) }
        } else if let history = try? files.history(of: lab, isGoingOn: false) {
            let page = try ReportPage([history]).html()
            #expect(history.end == .interrupted && page.contains("Interrupted"))
        }
    }
}
