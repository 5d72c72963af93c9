import KilnEngine
import KilnModel
import KilnTestSupport
import Testing

@Suite("Commands that a guest can't be given")
struct LabGuestTests {
    private let absent = KilnError(.guestNoAgent, "no agent", hint: "it boots yet, or has none", exit: .deadline)

    @Test("a guest that was ready and runs no agent is told for good, with what its image needs")
    func noAgent() async throws {
        let test = try LabTestWorld()
        try await test.up()
        test.world.faults.fail("run", with: absent)
        let error = await #expect(throws: KilnError.self) {
            try await test.engine.run(GuestCommand(["true"]), on: test.id, now: true)
        }
        #expect(error?.code == .guestNoAgent && error?.exit == .aborted)
        #expect(error?.hint?.contains("qemu-guest-agent") == true)
    }

    @Test("a guest that still boots is not said to have none")
    func booting() async throws {
        let test = try LabTestWorld(["1": GuestBehaviour(.hangs)])
        let launch = Task { try await test.up() }
        while (try? test.engine.history(test.id).open?.replacement.entered.contains(.healthy)) != true {
            try await Task.sleep(for: .milliseconds(2))
        }
        test.world.faults.fail("run", with: absent)
        let error = await #expect(throws: KilnError.self) {
            try await test.engine.run(GuestCommand(["true"]), on: test.id, now: true)
        }
        #expect(error?.code == .guestNoAgent && error?.exit == .deadline)
        test.world.faults.fail("run", with: nil)
        launch.cancel()
        _ = try? await launch.value
    }

    @Test("a probe that the guest does not allow ends the wait at once, with what to allow")
    func forbidden() async throws {
        let test = try LabTestWorld()
        var spec = try test.spec()
        spec.ready = [Check(.exec(["true"]))]
        spec.volumes = [:]
        spec.readyTimeout = .seconds(900)
        test.world.faults.fail("run", with: KilnError(.guestForbidden, "not allowed", hint: "allow it", exit: .aborted))
        let begin = ContinuousClock.now
        let error = await #expect(throws: KilnError.self) {
            _ = try await test.engine.up(try test.lab([test.id.server: spec]))
        }
        #expect(ContinuousClock.now - begin < .seconds(400))
        #expect(error?.message.contains("not allowed; allow it") == true)
    }
}
