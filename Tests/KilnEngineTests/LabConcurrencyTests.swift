import Foundation
import KilnEngine
import KilnModel
import KilnTestSupport
import Testing

@Suite struct LabConcurrencyTests {
    /// A replacement whose new machine keeps it waiting until its image is said to be ready.
    private func waiting(
        _ shutdown: GuestBehaviour.Shutdown = .obeys
    ) async throws -> (LabTestWorld, Task<ReplacementReport, any Error>) {
        let world = try LabTestWorld(["1": GuestBehaviour(), "2": GuestBehaviour(.hangs, shutdown: shutdown)])
        var spec = try world.spec()
        spec.stopTimeout = .seconds(900)
        spec.readyTimeout = .seconds(300)
        _ = try await world.engine.up(try world.lab([world.id.server: spec]))
        let task = Task { try await world.replace("tiny:2") }
        let deadline = ContinuousClock.now + .seconds(120)
        while ContinuousClock.now < deadline {
            if try await world.engine.status(world.id).operation?.step == .healthy { break }
            try await Task.sleep(for: .milliseconds(2))
        }
        return (world, task)
    }

    @Test("a second changing command is refused at once, naming the first; reading ones work meanwhile")
    func second() async throws {
        let (world, task) = try await waiting()
        let commands: [@Sendable () async throws -> Void] = [
            { _ = try await world.replace("tiny:1") }, { _ = try await world.up() },
            { try await world.engine.stop(world.id) }, { try await world.engine.start(world.id) },
            { _ = try await world.engine.recover(world.id) }, { try await world.engine.down(world.id.lab) },
        ]
        for command in commands {
            let error = try await #require(throws: KilnError.self) { try await command() }
            #expect(error.code == .lockHeld)
            #expect(error.exit == .blocked)
            #expect(error.message.contains("pid \(getpid())"))
        }
        let status = try await world.engine.status(world.id)
        #expect(status.operation?.step == .healthy)
        #expect(status.operation?.pid == getpid())
        #expect(try world.engine.history(world.id).open?.replacement.intent.to == Generation(2))
        #expect(try world.engine.machine(world.id) == world.machine(2))
        #expect(world.engine.volumes.names(of: world.id.lab).count == 1)
        #expect(try await world.engine.plan(try world.lab()).servers.count == 1)
        world.world.hypervisor.setBehaviour(
            GuestBehaviour(),
            ofImage: try world.engine.record(world.id).files.disk
        )
        #expect(try await task.value.outcome == .committed)
    }

    @Test("an interrupted command turns back before it ends, and the old machine serves")
    func interrupted() async throws {
        let (world, task) = try await waiting()
        task.cancel()
        let report = try await task.value
        #expect(report.outcome == .reverted)
        #expect(report.turn?.code == .interrupted)
        #expect(world.world.hypervisor.alive == [world.machine(1)])
        #expect(try await world.engine.status(world.id).operation == nil)
    }

    @Test(
        "a machine that still boots and that its user gives up is ended at once: it hears nothing, and its end was not clean"
    )
    func givenUp() async throws {
        let (world, task) = try await waiting(.ignores)
        let begin = ContinuousClock.now
        task.cancel()
        let report = try await task.value
        #expect(report.outcome == .reverted)
        #expect(ContinuousClock.now - begin < .seconds(400))
        #expect(world.world.hypervisor.alive == [world.machine(1)])
    }

    @Test("the time of a replacement that turned back has the step that failed in it, and the way back by itself")
    func times() async throws {
        let (world, task) = try await waiting()
        try await Task.sleep(for: .milliseconds(300))
        task.cancel()
        let report = try await task.value
        #expect(try #require(report.turn?.milliseconds) >= 290)
        let back = try #require(report.millisecondsBack)
        #expect(report.milliseconds - back >= 290)
        let kept = try #require(try world.engine.history(world.id).operations.last?.replacement.turn)
        #expect(kept == report.turn)
    }
}
