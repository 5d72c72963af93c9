import Foundation
import KilnEngine
import KilnModel
import KilnTestSupport
import Synchronization
import Testing

@testable import KilnScenarios

@Suite("A kiln that is killed in a replacement of a run")
struct KillKilnTests {
    private let faults: FaultWorld

    init() throws { faults = try FaultWorld() }

    private func replace(at moment: String, _ more: String = "", outcome: String = "committed") -> String {
        "{ replace: { server: web, image: 'tiny:2', outcome: \(outcome) }, "
            + "during: [{ at: \(moment), fault: { kill-kiln: { server: web } } }\(more)] }"
    }

    @Test(
        "what it left is taken back before the volumes have moved, and finished afterwards",
        arguments: [
            ("plan.before", "aborted", "1"), ("stop.after", "aborted", "1"), ("handover.after", "committed", "2"),
            ("healthy.after", "committed", "2"), ("commit.after", "committed", "2"),
        ]
    )
    func goesOn(_ moment: String, _ outcome: String, _ version: String) async throws {
        let report = try await faults.run(["up", replace(at: moment, outcome: outcome)], killable: true)
        #expect(report.outcome == .passed, "\(report)")
        let fault = try #require(report.steps[1].children.first)
        #expect(
            fault.name == "kill-kiln that replaces web at \(moment)" && fault.detail?.contains("4242, is gone") == true
        )
        #expect(report.servers.first { $0.name.text == "web" }?.image.version == version)
    }

    @Test("what it told is part of the run's own stream, and so is what became of it")
    func stream() async throws {
        let told = Mutex<[String]>([])
        let report = try await faults.run(["up: [web]", replace(at: "handover.after")], killable: true) { event in
            if case .progress(.began(_, let generation, let step)) = event.kind {
                told.withLock { $0.append("\(generation) \(step.rawValue)") }
            }
        }
        #expect(report.outcome == .passed, "\(report)")
        let second = told.withLock { $0 }.filter { $0.hasPrefix("2 ") }
        #expect(second.contains("2 stop") && second.contains("2 handover") && second.contains("2 commit"), "\(second)")
    }

    @Test("other faults of the step happen at their moments, before its death and after")
    func others() async throws {
        let more =
            ", { at: prepare.before, until: prepare.after, fault: { freeze: { server: db } } }"
            + ", { at: healthy.before, until: healthy.after, fault: { freeze: { server: db } } }"
        let report = try await faults.run(["up", replace(at: "handover.after", more)], killable: true)
        #expect(report.outcome == .passed, "\(report)")
        #expect(report.steps[1].children.map(\.outcome) == [.passed, .passed, .passed])
    }

    @Test(
        "one that survives is not hit, nor is a moment that does not come, nor a run without a kiln that can be killed"
    )
    func missed() async throws {
        let never = try await faults.run(["up", replace(at: "warm.before")], killable: true)
        #expect(never.isNotHit, "\(never)")
        let none = try await faults.run(["up", replace(at: "stop.before")])
        #expect(none.error?.code == ErrorCode.faultImpossible.rawValue, "\(none)")
        faults.host.ignoreFaults()
        let deaf = try await faults.run(["up", replace(at: "stop.before")], killable: true)
        #expect(deaf.isNotHit, "\(deaf)")
    }

    @Test("one that is killed or stopped before it has begun ended no replacement of before")
    func early() async throws {
        let steps = ["up", "replace: { server: web, image: 'tiny:2' }", replace(at: "stop.before")]
        for end in [FakeReplacementProcess.Early.killed, .stopped] {
            let report = try await faults.run(steps, killable: true, early: end)
            #expect(report.outcome == .failed && report.steps[1].outcome == .passed, "\(report)")
            #expect(report.error?.message.contains("its kiln was gone before it began") == true, "\(report)")
        }
    }

    @Test("a replacement that can't be begun says why, whoever was to be killed in it")
    func refusal() async throws {
        let step =
            "{ replace: { server: web, image: 'tiny:9' }, during: [{ at: stop.before, fault: { kill-kiln: { server: web } } }] }"
        let report = try await faults.run(["up", step], killable: true)
        #expect(report.outcome != .passed && report.steps[1].detail?.contains("tiny:9") == true, "\(report)")
    }

    @Test(
        "only the kiln of a 'replace' can be killed",
        arguments: [
            "fault: { kill-kiln: { server: web } }",
            "{ up: [web], during: [{ at: start.before, fault: { kill-kiln: { server: web } } }] }",
        ]
    )
    func refused(_ step: String) throws {
        let found = try problems(FaultWorld.text([step]))
        #expect(
            found.contains { $0.contains("'kill-kiln' stands in 'during' of: replace") },
            "\(found)"
        )
    }

    @Test("every line of progress is read back as what was told")
    func lines() throws {
        let web = MemberID(lab: try Name("shop"), server: try Name("web"))
        let turn = TurnBack(direction: .revert, step: .healthy, code: .replaceInterrupted, reason: "a: b", cause: "c")
        let all: [KilnEngine.Progress] = [
            .plan(web, "a"), .began(web, Generation(2), .stop), .waiting(web, Generation(2), "b"),
            .finished(web, Generation(2), .stop, milliseconds: 7), .turnedBack(web, turn), .note("c"),
        ]
        for progress in all {
            let event = RunEvent(run: 1, number: 1, time: .zero, kind: .progress(progress))
            let read = try JSONDecoder().decode(RecordedEvent.self, from: try JSONEncoder().encode(event))
            #expect(read.progress(of: web) == progress)
        }
    }
}
