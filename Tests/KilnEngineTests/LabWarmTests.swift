import KilnEngine
import KilnModel
import KilnTestSupport
import Testing

@Suite struct LabWarmTests {
    @Test("warm-first: the new machine is warm while the old one writes, then has the volume and the published port")
    func happy() async throws {
        let world = try LabTestWorld()
        try await world.up()
        let hypervisor = world.world.hypervisor
        let (old, new) = (world.machine(1), world.machine(2))
        world.world.faults.before("requestShutdown") {
            #expect(hypervisor.alive == [old, new])
            #expect(hypervisor.spec(new)?.volumes.isEmpty == true)
            #expect(hypervisor.write("last of the old", by: old))
        }
        let report = try await world.replace("tiny:2", .warmFirst)
        #expect(report.outcome == .committed && report.strategy == .warmFirst)
        #expect(report.steps.map(\.step).contains(.attach))
        #expect(hypervisor.alive == [new])
        #expect(hypervisor.starts(new) == 1)
        let published = try #require(try await world.engine.status(world.id).ports[Name("http")]?.host)
        #expect(hypervisor.running(onPort: published) == new)
        #expect(hypervisor.write("first of the new", by: new))
        #expect(try world.written() == ["last of the old", "first of the new"])
        #expect(world.world.ports.reservations == 0)
        #expect(hypervisor.violations.isEmpty)
        #expect(try world.engine.history(world.id).operations.last?.replacement.intent.strategy == .warmFirst)
    }

    @Test(
        "warm-first: a new machine that never gets warm is given up, and the old one is not touched",
        arguments: [GuestBehaviour.Boot.silent, .cloudInitFails, .panics, .switchesOff]
    )
    func neverWarm(_ boot: GuestBehaviour.Boot) async throws {
        let world = try LabTestWorld(["1": GuestBehaviour(), "2": GuestBehaviour(boot)])
        try await world.up()
        let report = try await world.replace("tiny:2", .warmFirst)
        #expect(report.outcome == .aborted)
        #expect(report.turn?.step == .warm)
        #expect(world.world.hypervisor.alive == [world.machine(1)])
        #expect(world.world.hypervisor.starts(world.machine(1)) == 1)
        #expect(try world.mode(world.world.state.rootOverlay(world.machine(2))) == 0o600)
    }

    @Test("warm-first: what fails when the volume is plugged in reverts, and the old machine has it again")
    func attachFails() async throws {
        let world = try LabTestWorld()
        try await world.up()
        world.write("a", by: 1)
        world.world.faults.fail("attach", with: KilnError("machine.attach-failed", "no slot", exit: .aborted))
        let report = try await world.replace("tiny:2", .warmFirst)
        #expect(report.outcome == .reverted && report.turn?.step == .attach)
        #expect(world.world.hypervisor.alive == [world.machine(1)])
        world.write("b", by: 1)
        #expect(try world.written() == ["a", "b"])
    }

    @Test("a rollback goes back to the image that served before, as a new generation")
    func rollback() async throws {
        let world = try LabTestWorld()
        try await world.up()
        _ = try await world.replace("tiny:2")
        let report = try await world.engine.rollback(world.id)
        #expect(report.outcome == .committed && report.to == Generation(3))
        #expect(try await world.engine.status(world.id).image?.version == "1")
    }

    @Test("a rollback goes to the generation that is named, and as many past roots are kept as 'keep-roots' says")
    func rollbackTo() async throws {
        let world = try LabTestWorld()
        var spec = try world.spec()
        spec.keepRoots = 2
        try world.world.images.add("3")
        try await world.up(spec)
        for image in ["tiny:2", "tiny:3"] { _ = try await world.replace(image) }
        let report = try await world.engine.rollback(world.id, to: Generation(1))
        #expect(report.outcome == .committed && report.to == Generation(4))
        #expect(try await world.engine.status(world.id).image?.version == "1")
        let roots = (1...4).filter { world.exists(world.world.state.rootOverlay(world.machine($0))) }
        #expect(roots == [2, 3, 4])
        let error = try await #require(throws: KilnError.self) {
            try await world.engine.rollback(world.id, to: Generation(9))
        }
        #expect(error.code == .generationMissing && error.exit == .usage)
    }

    @Test("warm-first is refused where the user-data mounts a volume itself, also where only the command asks for it")
    func ownMount() async throws {
        let world = try LabTestWorld()
        var spec = try world.spec()
        spec.userData = .object(["runcmd": .array([.string("mount /dev/vdb /data/")])])
        try await world.up(spec)
        let error = try await #require(throws: KilnError.self) { try await world.replace("tiny:2", .warmFirst) }
        #expect(error.code == .userDataOwnMount && error.message.contains("a mount of '/data'"))
        #expect(world.world.hypervisor.alive == [world.machine(1)])
        #expect(try world.engine.history(world.id).operations.count == 1)
        #expect(try await world.replace("tiny:2", .stopFirst).outcome == .committed)
    }

    @Test("warm-first is refused where the new root would forget at a reboot what it mounts, and stop-first is not")
    func forgetsMounts() async throws {
        let world = try LabTestWorld()
        try await world.up()
        try world.world.images.add("full", cloudInit: .full)
        var spec = try world.spec("tiny:full")
        spec.root = .volatile
        try await world.up(spec)
        let refused = try await world.replace("tiny:full", .warmFirst)
        #expect(refused.outcome == .aborted && refused.turn?.code == .rootForgetsMounts, "\(refused)")
        #expect(world.world.hypervisor.alive == [world.machine(1)])
        #expect(world.world.hypervisor.starts(world.machine(1)) == 1)
        #expect(try await world.replace("tiny:full", .stopFirst).outcome == .committed)
    }

    @Test("a rehearsal that fails leaves the server, its volume and no rehearsal")
    func rehearsalFails() async throws {
        let world = try LabTestWorld(["1": GuestBehaviour(), "2": GuestBehaviour(.cloudInitFails)])
        try await world.up()
        let options = ReplaceOptions(image: try ImageReference("tiny:2"), rehearsesFirst: true)
        await #expect { try await world.engine.replace(world.id, options) } throws: {
            ($0 as? KilnError)?.code == .rehearsalFailed
        }
        #expect(world.world.hypervisor.starts(world.machine(1)) == 1)
        #expect(try world.engine.members() == [world.id])
        #expect(world.engine.volumes.names(of: world.id.lab) == [world.volume])
        #expect(try world.engine.history(world.id).operations.count == 1)
    }

    @Test("a rehearsal that passes is followed by the replacement")
    func rehearsalPasses() async throws {
        let world = try LabTestWorld()
        try await world.up()
        let options = ReplaceOptions(image: try ImageReference("tiny:2"), rehearsesFirst: true)
        #expect(try await world.engine.replace(world.id, options).outcome == .committed)
        #expect(try world.engine.members() == [world.id])
        #expect(world.engine.volumes.names(of: world.id.lab) == [world.volume])
        #expect(world.world.hypervisor.alive == [world.machine(2)])
    }
}
