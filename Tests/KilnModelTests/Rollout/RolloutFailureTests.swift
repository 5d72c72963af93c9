import KilnModel
import Testing

/// Members that turn back, processes that die, and what people make of it.
@Suite struct RolloutFailureTests {
    @Test("a member that reverts is put in again, and those that are new are taken back, the newest first")
    func rollback() throws {
        var stage = try RolloutStage.begun(4)
        stage.ends[1] = .reverted
        #expect(
            try stage.go() == [
                "take-out 3", "replace 3", "put-in 3", "take-out 2", "replace 2", "put-in 2", "take-out 1", "replace 1",
                "put-in 1", "take-out 2", "roll-back 2", "put-in 2", "take-out 3", "roll-back 3", "put-in 3",
            ]
        )
        #expect(try stage.next == .finished(RolloutOutcome(.rolledBack, new: [], old: [3, 2, 1, 0])))
        #expect(stage.members.values.allSatisfy { $0.version == RolloutStage.old && $0.isAvailable })
    }

    private func paused() throws -> RolloutStage {
        var stage = try RolloutStage.begun(3, RolloutSpec(onFailure: .pause))
        stage.ends[1] = .aborted
        try stage.go()
        #expect(try stage.state.pause?.failure?.ordinal == 1)
        #expect(try stage.state.pause?.failure?.code == .rolloutReverted)
        #expect(stage.members[1]?.isIn == true)
        stage.ends = [:]
        return stage
    }

    @Test("after a failure a person can have the member tried again")
    func retry() throws {
        var stage = try paused()
        try stage.give(.retry)
        try stage.go()
        #expect(try stage.next == .finished(RolloutOutcome(.completed, new: [2, 1, 0], old: [])))
    }

    @Test("after a failure a person can have the others done, which leaves it degraded and names who is what")
    func promote() throws {
        var stage = try paused()
        try stage.give(.promote(isFull: false))
        #expect(try stage.go() == ["take-out 0", "replace 0", "put-in 0"])
        let outcome = RolloutOutcome(.degraded, new: [2, 0], old: [1])
        #expect(try stage.next == .finished(outcome))
        #expect(RolloutOutcome.words(outcome.new) == "2 (2, 0)" && RolloutOutcome.words([]) == "0")
    }

    @Test("after a failure a person can give it up, which takes back what is new")
    func abort() throws {
        var stage = try paused()
        try stage.give(.abort)
        #expect(try stage.go() == ["take-out 2", "roll-back 2", "put-in 2"])
        #expect(try stage.next == .finished(RolloutOutcome(.aborted, new: [], old: [2, 1, 0])))
    }

    @Test("a halted member stops the rollout, whatever the spec says, until a person has decided about it")
    func halted() throws {
        var stage = try RolloutStage.begun()
        stage.ends[1] = .halted
        try stage.go()
        #expect(try stage.state.pause?.failure?.code == .replaceHalted)
        try stage.give(.retry)
        try stage.go()
        #expect(try stage.state.pause?.failure?.code == .replaceHalted)
        stage.members[1]?.standing = .none
        stage.members[1]?.isReady = true
        stage.ends = [:]
        try stage.give(.retry)
        try stage.go()
        #expect(try stage.next == .finished(RolloutOutcome(.completed, new: [2, 1, 0], old: [])))
    }

    @Test("a way back that fails is left to a person, who has it tried again or leaves it as it is")
    func failedWayBack() throws {
        var stage = try RolloutStage.begun(2, RolloutSpec(canaries: 1, pause: .untilPromoted))
        try stage.go()
        stage.ends[1] = .reverted
        try stage.give(.abort)
        try stage.go()
        #expect(try stage.state.pause?.failure?.ordinal == 1)
        var tried = stage
        tried.ends = [:]
        try tried.give(.retry)
        try tried.go()
        #expect(try tried.next == .finished(RolloutOutcome(.aborted, new: [], old: [1, 0])))
        try stage.give(.abort)
        #expect(try stage.go() == [])
        #expect(try stage.next == .finished(RolloutOutcome(.degraded, new: [1], old: [0])))
    }

    @Test("a new member that is not ready at its deadline is taken back without waiting for it")
    func deadline() throws {
        var stage = try RolloutStage.begun(2)
        for _ in 0..<2 { stage.carryOut(try stage.enter()) }
        stage.members[1]?.isReady = false
        #expect(try stage.go() == [])
        #expect(try stage.next == .wait(.notReady(1, until: .seconds(1600))))
        stage.now += .seconds(600)
        #expect(try stage.go() == ["roll-back 1", "put-in 1"])
        #expect(try stage.state.turn?.code == .rolloutDeadline)
        #expect(try stage.next == .finished(RolloutOutcome(.rolledBack, new: [], old: [1, 0])))
    }

    @Test("a member that was committed before a death is not replaced again")
    func diedAfterCommit() throws {
        var stage = try RolloutStage.begun(1)
        for _ in 0..<2 { stage.carryOut(try stage.enter()) }
        stage.die()
        #expect(try stage.next == .record(.replaced(0, .committed)))
        #expect(try stage.go() == ["put-in 0"])
    }

    @Test("a replacement that was meant and not begun before a death is begun")
    func diedBeforeBegin() throws {
        var stage = try RolloutStage.begun(1)
        stage.carryOut(try stage.enter())
        let move = try stage.enter()
        stage.die()
        #expect(try stage.next == .move(move))
    }

    @Test("a replacement that was open at a death is recovered before anything else")
    func diedWithin() throws {
        var stage = try RolloutStage.begun()
        stage.carryOut(try stage.enter())
        _ = try stage.enter()
        stage.members[2]?.standing = .open
        stage.members[2]?.highest = Generation(2)
        stage.members[0]?.isIn = false
        stage.die()
        #expect(try stage.next == .recover(2))
        stage.members[2]?.standing = .none
        stage.members[2]?.latest = .reverted
        #expect(try stage.next == .record(.replaced(2, .reverted)))
    }

    @Test("an error before a replacement has begun is a failure, and one after it is told by the member")
    func errors() throws {
        var stage = try RolloutStage.begun()
        stage.carryOut(try stage.enter())
        let step = try stage.next
        _ = try stage.enter()
        let refused = KilnError("image.revoked", "it is revoked", exit: .aborted)
        let event = try stage.state.eventAfterFailure(of: step, error: refused, observed: stage.observation)
        #expect(event == .failed(RolloutFailure("image.revoked", "it is revoked", ordinal: 2)))
        let gone = KilnError(.hypervisorUnreachable, "gone", exit: .unreachable)
        #expect(try stage.state.eventAfterFailure(of: step, error: gone, observed: stage.observation) == nil)
        stage.members[2]?.standing = .open
        #expect(try stage.state.eventAfterFailure(of: step, error: refused, observed: stage.observation) == nil)
    }

    @Test("a front that does not do what it is told stops the rollout, and takes nobody back")
    func front() throws {
        var stage = try RolloutStage.begun()
        let step = try stage.next
        _ = try stage.enter()
        let error = KilnError(.frontFailed, "it is gone", exit: .aborted)
        let event = try stage.state.eventAfterFailure(of: step, error: error, observed: stage.observation)
        stage.write(try #require(event))
        #expect(try stage.go() == [])
        #expect(try stage.state.pause?.failure?.code == .frontFailed)
        #expect(try stage.state.direction == .forward)
        try stage.give(.retry)
        #expect(try stage.go().count == 9)
    }

    @Test("a replacement that can't be recovered is left to a person, and tried again when that one says so")
    func unrecovered() throws {
        var stage = try RolloutStage.begun()
        stage.members[1]?.standing = .open
        let error = KilnError("x.failed", "it failed", exit: .aborted)
        let event = try stage.state.eventAfterFailure(of: .recover(1), error: error, observed: stage.observation)
        stage.write(try #require(event))
        #expect(try stage.go() == [])
        #expect(try stage.state.pause?.failure?.ordinal == 1)
        try stage.give(.retry)
        #expect(try stage.next == .recover(1))
    }

    @Test("nobody is asked to decide, and nothing ends, while a replacement goes on")
    func busy() throws {
        var stage = try RolloutStage.begun(3, RolloutSpec(canaries: 1, pause: .untilPromoted))
        try stage.go()
        stage.busy = [0]
        #expect(try stage.next == .wait(.busy([0])))
        try stage.give(.undo)
        stage.members[2]?.version = RolloutStage.old
        #expect(try stage.next == .wait(.busy([0])))
    }
}
