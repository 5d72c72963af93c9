import KilnModel
import Testing

@Suite struct RolloutHistoryTests {
    private let server = RolloutRun.server

    private func code(_ body: () throws -> Void) -> ErrorCode? {
        do {
            try body()
            return nil
        } catch { return (error as? KilnError)?.code }
    }

    @Test("a second rollout can't begin while one is open")
    func second() throws {
        var stage = try RolloutStage.begun()
        #expect(code { try stage.begin() } == .rolloutOpen)
        try stage.go()
        stage.members[0]?.version = RolloutStage.old
        try stage.begin()
        #expect(stage.history.rollouts.map(\.plan.id) == [1, 2])
        #expect(stage.history.open?.plan.ordinals == [0])
    }

    @Test("members that are halted before a rollout are named, and it does not begin")
    func halted() throws {
        var stage = RolloutStage()
        stage.members[0]?.standing = .halted
        stage.members[2]?.standing = .halted
        do {
            try stage.begin()
            Issue.record("it begins")
        } catch let error as KilnError {
            #expect(error.code == .replaceHalted && error.exit == .halted)
            #expect(error.message.contains("hello/web.0, hello/web.2"))
        }
    }

    @Test("where there is no rollout, every command says so")
    func none() throws {
        let history = RolloutHistory()
        for command in [RolloutCommand.promote(isFull: false), .promote(isFull: true), .abort, .retry, .undo, .resume] {
            #expect(code { _ = try history.event(for: command, of: server, at: .zero) } == .rolloutNone)
        }
    }

    @Test("one that nothing stops can't be promoted or retried, but aborted once")
    func running() throws {
        var stage = try RolloutStage.begun()
        for command in [RolloutCommand.promote(isFull: false), .retry] {
            #expect(code { try stage.give(command) } == .rolloutNone)
        }
        try stage.give(.abort)
        #expect(try stage.history.event(for: .abort, of: server, at: stage.now) == nil)
        #expect(code { try stage.give(.promote(isFull: true)) } == .rolloutNone)
    }

    @Test("one that waits to be promoted is not retried")
    func waiting() throws {
        var stage = try RolloutStage.begun(2, RolloutSpec(canaries: 1, pause: .untilPromoted))
        try stage.go()
        #expect(code { try stage.give(.retry) } == .rolloutNone)
    }

    @Test("a rollout that has ended can be undone, once")
    func undo() throws {
        var stage = try RolloutStage.begun(2)
        try stage.go()
        try stage.give(.undo)
        #expect(try stage.go() == ["take-out 0", "roll-back 0", "put-in 0", "take-out 1", "roll-back 1", "put-in 1"])
        #expect(try stage.next == .finished(RolloutOutcome(.rolledBack, new: [], old: [1, 0])))
        #expect(try stage.history.event(for: .undo, of: server, at: stage.now) == nil)
    }

    @Test("an undone rollout leaves alone who was replaced by another image since")
    func undoneLater() throws {
        var stage = try RolloutStage.begun(2)
        try stage.go()
        stage.members[0]?.version = RolloutRun.version(7)
        stage.members[0]?.generation = Generation(3)
        try stage.give(.undo)
        #expect(try stage.go() == ["take-out 1", "roll-back 1", "put-in 1"])
        #expect(try stage.next == .finished(RolloutOutcome(.degraded, new: [], old: [1, 0])))
    }
}
