import KilnEngine
import KilnModel
import KilnScenarios
import Testing

@Suite("The timeline of a run")
struct TimelineTests {
    private let web: MemberID
    private let second = Generation(2)

    init() throws { web = MemberID(lab: try Name("lab"), server: try Name("web")) }

    private func found(_ progress: [KilnEngine.Progress]) -> [String] {
        let timeline = Timeline()
        for each in progress { timeline.record(each) }
        timeline.end()
        return timeline.phases.map { phase in
            "\(phase.server) \(phase.generation) \(phase.step.rawValue)\(phase.hasFailed ? " failed" : "")"
        }
    }

    @Test("a step that failed is part of it, and so is the way back")
    func failed() {
        let turn = TurnBack(direction: .abort, step: .prepare, code: .diskFull, reason: "full")
        #expect(
            found([
                .began(web, second, .plan), .finished(web, second, .plan, milliseconds: 1),
                .began(web, second, .prepare), .waiting(web, second, "space"), .turnedBack(web, turn),
                .began(web, second, .removeNew), .finished(web, second, .removeNew, milliseconds: 1),
            ]) == ["web 2 plan", "web 2 prepare failed", "web 2 remove-new"]
        )
    }

    @Test("a step that never ended failed when the run was over, or when the next began")
    func open() {
        #expect(found([.began(web, second, .stop)]) == ["web 2 stop failed"])
        #expect(
            found([
                .began(web, second, .startOld), .began(web, second, .startOld),
                .finished(web, second, .startOld, milliseconds: 1),
            ]) == ["web 2 start-old failed", "web 2 start-old"]
        )
    }
}
