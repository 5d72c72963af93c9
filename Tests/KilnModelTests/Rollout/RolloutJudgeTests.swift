import KilnModel
import Testing

@Suite struct RolloutJudgeTests {
    private let spec = RolloutSpec(canaries: 1, judge: RolloutJudgeSpec())

    private func judged(_ verdict: RolloutVerdict, _ spec: RolloutSpec) throws -> RolloutStage {
        var stage = try RolloutStage.begun(3, spec)
        try stage.go()
        #expect(try stage.next == .judge(new: [2], old: [0, 1]))
        stage.judgement = RolloutJudgement(verdict, reason: "figures")
        return stage
    }

    @Test("the canaries are judged, then each later member, as long as one is left to compare with")
    func successful() throws {
        var stage = try judged(.successful, spec)
        #expect(try stage.go() == ["take-out 1", "replace 1", "put-in 1"])
        #expect(try stage.next == .judge(new: [2, 1], old: [0]))
        stage.judgement = RolloutJudgement(.successful, reason: "figures")
        #expect(try stage.go() == ["take-out 0", "replace 0", "put-in 0"])
        #expect(try stage.next == .finished(RolloutOutcome(.completed, new: [2, 1, 0], old: [])))
    }

    @Test("a failed judgement takes the new members back")
    func failed() throws {
        var stage = try judged(.failed, spec)
        #expect(try stage.go() == ["take-out 2", "roll-back 2", "put-in 2"])
        #expect(try stage.next == .finished(RolloutOutcome(.rolledBack, new: [], old: [2, 1, 0])))
        #expect(try stage.state.turn?.code == .rolloutJudged)
    }

    @Test("a failed judgement is left to a person where the spec says so, and can be asked for again")
    func paused() throws {
        var spec = spec
        spec.onFailure = .pause
        var stage = try judged(.failed, spec)
        #expect(try stage.go() == [])
        try stage.give(.retry)
        #expect(try stage.next == .judge(new: [2], old: [0, 1]))
    }

    @Test(
        "what could not be judged is left to a person, whatever the spec says",
        arguments: [RolloutVerdict.inconclusive, .error]
    )
    func unsure(_ verdict: RolloutVerdict) throws {
        var stage = try judged(verdict, spec)
        #expect(try stage.go() == [])
        #expect(try stage.state.pause?.failure?.code == .rolloutJudged)
        try stage.give(.promote(isFull: false))
        #expect(try stage.go() == ["take-out 1", "replace 1", "put-in 1"])
        #expect(try stage.next == .judge(new: [2, 1], old: [0]))
    }

    @Test("a full promotion skips all further pauses and judgements")
    func full() throws {
        var spec = spec
        spec.pause = .untilPromoted
        var stage = try RolloutStage.begun(3, spec)
        try stage.give(.promote(isFull: true))
        try stage.go()
        #expect(try stage.next == .finished(RolloutOutcome(.completed, new: [2, 1, 0], old: [])))
    }
}
