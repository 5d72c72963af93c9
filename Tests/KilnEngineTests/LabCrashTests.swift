import KilnModel
import KilnTestSupport
import Testing

@testable import KilnEngine

/// Kernels that crash before init on a processor that is emulated.
@Suite struct LabCrashTests {
    @Test(
        "a machine whose kernel crashed before init is booted once more, and report and history count that",
        arguments: Strategy.allCases
    )
    func replacement(_ strategy: Strategy) async throws {
        let world = try LabTestWorld(["1": GuestBehaviour(), "2": GuestBehaviour(.emulationFailsOnce)])
        try await world.up()
        world.write("a", by: 1)
        let report = try await world.replace("tiny:2", strategy)
        #expect(report.outcome == .committed)
        let step: Step = strategy == .warmFirst ? .warm : .healthy
        #expect(report.steps.filter { $0.restarts != nil }.map(\.step) == [step])
        #expect(report.steps.first { $0.step == step }?.restarts == 1)
        let history = try world.engine.history(world.id)
        #expect(history.operations.last?.replacement.completed == report.steps)
        #expect(world.world.hypervisor.starts(world.machine(2)) == 2)
        #expect(try world.written() == ["a"])
        #expect(world.world.hypervisor.violations.isEmpty)
    }

    @Test("so is one that is launched, and one that is started again")
    func launchAndStart() async throws {
        let world = try LabTestWorld(["1": GuestBehaviour(.emulationFailsOnce)])
        try await world.up()
        #expect(world.world.hypervisor.starts(world.machine(1)) == 2)
        try await world.engine.stop(world.id)
        try await world.engine.start(world.id)
        #expect(world.world.hypervisor.alive == [world.machine(1)])
    }

    @Test("a start counts that in what it returns and in the history, and one that goes well counts nothing")
    func counted() async throws {
        let world = try LabTestWorld(["1": GuestBehaviour()])
        try await world.up()
        try await world.engine.stop(world.id)
        let (hypervisor, disk) = (world.world.hypervisor, world.world.images.disk("1"))
        hypervisor.setBehaviour(GuestBehaviour(.emulationFails), ofImage: disk)
        world.world.faults.before("powerOff") { hypervisor.setBehaviour(GuestBehaviour(), ofImage: disk) }
        #expect(try await world.engine.start(world.id) == 1)
        try await world.engine.stop(world.id)
        #expect(try await world.engine.start(world.id) == 0)
        let crashes = try world.engine.history(world.id).crashes
        #expect(crashes.map(\.restarts) == [1] && crashes.map(\.generation) == [Generation(1)])
    }

    @Test("a kernel that ends for any other reason is not booted again", arguments: [GuestBehaviour.Boot.panics])
    func panic(_ boot: GuestBehaviour.Boot) async throws {
        let world = try LabTestWorld(["1": GuestBehaviour(), "2": GuestBehaviour(boot)])
        try await world.up()
        #expect(try await world.replace("tiny:2").outcome == .reverted)
        #expect(world.world.hypervisor.boots(world.machine(2)) == 1)
    }
}
