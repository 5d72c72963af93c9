import KilnModel
import Testing

/// A rollout on its way to the target.
@Suite struct RolloutForwardTests {
    private func whole(_ ordinals: Int...) -> [String] {
        ordinals.flatMap { ["take-out \($0)", "replace \($0)", "put-in \($0)"] }
    }

    @Test("members are taken out, replaced and put in, one after the other, the highest first")
    func order() throws {
        var stage = try RolloutStage.begun()
        #expect(try stage.go() == whole(2, 1, 0))
        #expect(try stage.next == .finished(RolloutOutcome(.completed, new: [2, 1, 0], old: [])))
        #expect(stage.members.values.allSatisfy { $0.version == RolloutStage.target && $0.isAvailable })
    }

    @Test("members below the partition, and those that are what they should be, take no part")
    func plan() throws {
        var stage = RolloutStage(4)
        stage.members[2]?.version = RolloutStage.target
        try stage.begin(RolloutSpec(partition: 1))
        #expect(try stage.state.plan.ordinals == [3, 1])
        #expect(try stage.go() == whole(3, 1))
    }

    @Test("a rollout of nobody is completed at once")
    func nobody() throws {
        var stage = RolloutStage(0)
        try stage.begin()
        #expect(try stage.go() == [])
        #expect(try stage.next == .finished(RolloutOutcome(.completed, new: [], old: [])))
    }

    @Test("without a front members are only replaced")
    func noFront() throws {
        var stage = RolloutStage(2, hasFront: false)
        try stage.begin()
        #expect(try stage.go() == ["replace 1", "replace 0"])
    }

    @Test(
        "members of the target's version get new machines where all are to be replaced, and the way back does nothing"
    )
    func renewed() throws {
        var stage = RolloutStage(2)
        for ordinal in 0..<2 { stage.members[ordinal]?.version = RolloutStage.target }
        try stage.begin(replacesAll: true)
        #expect(try stage.go() == whole(1, 0))
        try stage.give(.undo)
        #expect(try stage.go() == [])
        #expect(try stage.next == .finished(RolloutOutcome(.rolledBack, new: [1, 0], old: [])))
    }

    @Test("the canaries come first, and the others wait until a person promotes")
    func canaries() throws {
        var stage = try RolloutStage.begun(3, RolloutSpec(canaries: 1, pause: .untilPromoted))
        #expect(try stage.go() == whole(2))
        #expect(try stage.next == .pause(RolloutPause(at: stage.now), until: nil))
        stage.now += .seconds(86_400)
        stage.die()
        #expect(try stage.go() == [])
        try stage.give(.promote(isFull: false))
        #expect(try stage.go() == whole(1, 0))
    }

    @Test("a pause that lasts is over by itself, also after a death, and begins again where the clock did")
    func timedPause() throws {
        var stage = try RolloutStage.begun(2, RolloutSpec(canaries: 1, pause: .lasting(.seconds(60))))
        try stage.go()
        #expect(try stage.next == .pause(RolloutPause(at: stage.now, lasts: .seconds(60)), until: .seconds(1060)))
        stage.now += .seconds(59)
        stage.die()
        #expect(try stage.go() == [])
        stage.now = .seconds(5)
        #expect(try stage.go() == [])
        #expect(try stage.next == .pause(RolloutPause(at: .seconds(5), lasts: .seconds(60)), until: .seconds(65)))
        stage.now += .seconds(60)
        #expect(try stage.go() == whole(0))
    }

    @Test("the next member waits for the soak, which begins again where the new one is not ready or nobody looked")
    func soak() throws {
        var stage = try RolloutStage.begun(2, RolloutSpec(soak: .seconds(30)))
        #expect(try stage.go() == whole(1))
        #expect(try stage.next == .soak(1, until: .seconds(1030)))
        stage.now += .seconds(29)
        stage.members[1]?.isReady = false
        #expect(try stage.go() == [])
        #expect(try stage.next == .wait(.notReady(1, until: .seconds(1630))))
        stage.members[1]?.isReady = true
        #expect(try stage.go() == [])
        #expect(try stage.next == .soak(1, until: .seconds(1059)))
        stage.now += .seconds(29)
        stage.die()
        #expect(try stage.go() == [])
        #expect(try stage.next == .soak(1, until: .seconds(1088)))
        stage.now += .seconds(30)
        #expect(try stage.go() == whole(0))
    }

    @Test("a member that fell by itself counts as out: nobody else is taken out, and at the deadline a person is asked")
    func noRoom() throws {
        var stage = RolloutStage()
        stage.members[0]?.isReady = false
        stage.members[0]?.version = RolloutStage.target
        try stage.begin()
        #expect(try stage.go() == [])
        #expect(try stage.next == .wait(.unavailable([0], until: .seconds(1600))))
        stage.now += .seconds(600)
        #expect(try stage.go() == [])
        #expect(try stage.state.pause?.failure?.code == .rolloutUnavailable)
        stage.members[0]?.isReady = true
        try stage.give(.retry)
        #expect(try stage.go() == whole(2, 1))
    }

    @Test("a member that was taken out is put in again when another falls before it is replaced")
    func neededAgain() throws {
        var stage = try RolloutStage.begun()
        stage.carryOut(try stage.enter())
        stage.members[0]?.isReady = false
        #expect(try stage.next == .putIn(2))
        stage.carryOut(try stage.enter())
        // The one that fell is out anyway, so it may be replaced; then there is room again.
        #expect(try stage.go() == whole(0, 2, 1))
    }

    @Test("where no member is healthy, all are replaced nevertheless")
    func allDown() throws {
        var stage = RolloutStage()
        for ordinal in 0..<3 { stage.members[ordinal]?.isReady = false }
        try stage.begin()
        #expect(try stage.go() == whole(2, 1, 0))
        #expect(stage.members.values.allSatisfy { $0.isAvailable })
    }

    @Test("with a surge a member is replaced warm-first and never taken out, but not while others are out")
    func surge() throws {
        var stage = RolloutStage(2)
        stage.members[0]?.isReady = false
        stage.members[0]?.version = RolloutStage.target
        try stage.begin(RolloutSpec(maxUnavailable: 0, maxSurge: 1))
        #expect(try stage.go() == [])
        #expect(try stage.next == .wait(.unavailable([0], until: .seconds(1600))))
        stage.members[0]?.isReady = true
        let move = try stage.enter()
        #expect(move == RolloutMove(.replace, 1, after: Generation(1), isWarm: true))
        stage.carryOut(move)
        #expect(try stage.go() == [])
        #expect(try stage.next == .finished(RolloutOutcome(.completed, new: [1], old: [])))
    }

    @Test("with room for two, two are replaced at the same time, and a third waits for one of them")
    func parallel() throws {
        var stage = try RolloutStage.begun(3, RolloutSpec(maxUnavailable: 2))
        for ordinal in [2, 1] {
            let out = try stage.enter()
            #expect(out == RolloutMove(.takeOut, ordinal))
            stage.carryOut(out)
            let replacement = try stage.enter()
            #expect(replacement.kind == .replace && replacement.ordinal == ordinal)
            stage.busy.insert(ordinal)
        }
        #expect(try stage.next == .wait(.busy([2])))
        stage.busy.remove(1)
        stage.carryOut(RolloutMove(.replace, 1))
        #expect(try stage.go() == ["put-in 1", "take-out 0", "replace 0", "put-in 0"])
        #expect(try stage.next == .wait(.busy([2])))
    }

    @Test("a member that is ready and left out gets requests again, also one that takes no part")
    func leftOut() throws {
        var stage = RolloutStage()
        stage.members[0]?.isIn = false
        try stage.begin(RolloutSpec(partition: 1))
        #expect(try stage.go() == ["put-in 0"] + whole(2, 1))
    }
}
