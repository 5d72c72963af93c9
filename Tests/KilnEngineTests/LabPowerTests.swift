import Foundation
import KilnEngine
import KilnModel
import KilnTestSupport
import Testing

@Suite struct LabPowerTests {
    @Test("stop and start keep the generation, the instance id and the volume")
    func stopStart() async throws {
        let world = try LabTestWorld()
        let before = try await world.up()
        world.write("a", by: 1)
        try await world.engine.stop(world.id)
        #expect(try await world.engine.status(world.id).state == .off)
        #expect(try world.record().lease?.machine == world.machine(1))
        #expect(try await world.engine.plan(try world.lab()).servers.map(\.kind) == [.start])
        try await world.engine.start(world.id)
        world.write("b", by: 1)
        let after = try await world.engine.status(world.id)
        #expect(after.generation == before.generation && after.state == before.state)
        #expect(after.instanceID == before.instanceID && after.volumes == before.volumes && after.ports == before.ports)
        #expect(after.instanceID?.hasPrefix("web-1-") == true)
        #expect(try world.written() == ["a", "b"])
    }

    @Test("how long a start took is known until the next one, also where a machine that runs on is looked at anew")
    func timeToReady() async throws {
        let world = try LabTestWorld(["1": GuestBehaviour(shutdown: .ignores), "2": GuestBehaviour()])
        world.world.faults.before("awaitAgent") { Thread.sleep(forTimeInterval: 0.05) }
        try await world.up()
        let first = try #require(try world.engine.timeToReady(world.id))
        #expect(first >= .milliseconds(50))
        #expect(try await world.replace("tiny:2").outcome == .aborted)
        #expect(try world.engine.timeToReady(world.id) == first)
        try await world.engine.stop(world.id, force: true)
        #expect(try world.engine.timeToReady(world.id) == first)
        world.world.faults.before("awaitAgent") { Thread.sleep(forTimeInterval: 0.2) }
        try await world.engine.start(world.id)
        #expect(try #require(try world.engine.timeToReady(world.id)) >= .milliseconds(200))
    }

    @Test("up starts a server that is off")
    func upStarts() async throws {
        let world = try LabTestWorld()
        try await world.up()
        world.world.hypervisor.set(world.machine(1), .off)
        #expect(try await world.up().state == .running)
        #expect(world.world.hypervisor.starts(world.machine(1)) == 2)
    }

    @Test("up lets a machine that is paused go on")
    func upResumes() async throws {
        let world = try LabTestWorld()
        try await world.up()
        world.world.hypervisor.set(world.machine(1), .paused)
        #expect(try await world.up().state == .running)
        #expect(world.world.hypervisor.starts(world.machine(1)) == 1)
    }

    @Test("a guest that ignores the request runs on, unless it is forced off")
    func ignoring() async throws {
        let world = try LabTestWorld(["1": GuestBehaviour(shutdown: .ignores)])
        try await world.up()
        let error = try await #require(throws: KilnError.self) { try await world.engine.stop(world.id) }
        #expect(error.code == .stopTimeout)
        #expect(try await world.engine.status(world.id).state == .running)
        try await world.engine.stop(world.id, force: true)
        #expect(try await world.engine.status(world.id).state == .off)
    }

    @Test("a machine is not started on a volume that something else holds, which is named")
    func heldAtStart() async throws {
        let world = try LabTestWorld()
        try await world.up()
        try await world.engine.stop(world.id)
        world.world.holders.hold(try world.activeLayer, by: FileHolder(pid: 4711, name: "qemu-nbd"))
        let error = try await #require(throws: KilnError.self) { try await world.engine.start(world.id) }
        #expect(error.code == .volumeHeld)
        #expect(error.exit == .blocked)
        #expect(error.message.contains("qemu-nbd (pid 4711)"))
        #expect(world.world.hypervisor.alive.isEmpty)
    }

    @Test("down leaves only the volumes", arguments: [GuestBehaviour.Shutdown.obeys, .ignores])
    func down(_ shutdown: GuestBehaviour.Shutdown) async throws {
        let world = try LabTestWorld(["1": GuestBehaviour(shutdown: shutdown), "2": GuestBehaviour(shutdown: shutdown)])
        try await world.up()
        world.write("a", by: 1)
        if shutdown == .obeys { #expect(try await world.replace("tiny:2").outcome == .committed) }
        try await world.engine.down(world.id.lab)
        #expect(try await world.world.hypervisor.machines().isEmpty)
        #expect(!world.exists(world.world.state.lab(world.id.lab)))
        #expect(try world.record().lease == nil)
        #expect(try world.written() == ["a"])
        #expect(try world.engine.members().isEmpty)
        let always = ["images", "images/lock", "labs", "labs/lock"]
        let kept = try world.files().filter { !$0.hasPrefix("volumes") && !always.contains($0) }
        #expect(kept.isEmpty)
    }

    @Test("down leaves a machine alone that another state directory has under the same name")
    func downElsewhere() async throws {
        let world = try LabTestWorld()
        try await world.up()
        let own = try #require(world.world.hypervisor.spec(world.machine(1)))
        let text = String(decoding: try JSONEncoder().encode(own), as: UTF8.self)
            .replacingOccurrences(of: "generation\":1", with: "generation\":9")
            .replacingOccurrences(of: "root.qcow2", with: "other.qcow2")
        try await world.world.hypervisor.define(try JSONDecoder().decode(MachineSpec.self, from: Data(text.utf8)))
        try await world.engine.down(world.id.lab)
        #expect(try await Array(world.world.hypervisor.machines().keys) == [world.machine(9)])
    }

    @Test("neither up, replace, down nor gc changes a machine that another state directory has under the next name")
    func foreignNames() async throws {
        let test = try LabTestWorld()
        let hypervisor = test.world.hypervisor
        try await test.up()
        let own = try #require(hypervisor.spec(test.machine(1)))
        let text = String(decoding: try JSONEncoder().encode(own), as: UTF8.self)
            .replacingOccurrences(of: "root.qcow2", with: "other.qcow2")
        let foreign = try JSONDecoder().decode(MachineSpec.self, from: Data(text.utf8))
        func isThere(_ machine: MachineID) -> Bool {
            hypervisor.spec(machine)?.root.path == foreign.root.path && hypervisor.alive.contains(machine)
        }
        hypervisor.redefine(test.machine(2), foreign)
        hypervisor.set(test.machine(2), .running)
        let error = await #expect(throws: KilnError.self) { try await test.replace("tiny:2") }
        #expect(error?.code == .machineForeign && error?.exit == .blocked)
        #expect(isThere(test.machine(2)) && hypervisor.alive.contains(test.machine(1)))
        #expect(try await test.engine.recover(test.id) == nil)

        hypervisor.redefine(test.machine(2), nil)
        #expect(try await test.replace("tiny:2").outcome == .committed)
        // The first generation has left; the other one's takes its name.
        hypervisor.redefine(test.machine(1), foreign)
        hypervisor.set(test.machine(1), .running)
        _ = try await test.engine.collectGarbage()
        try await test.engine.down(test.id.lab)
        #expect(hypervisor.alive == [test.machine(1)] && isThere(test.machine(1)))
        await #expect(throws: KilnError.self) { try await test.up() }
        #expect(isThere(test.machine(1)))
    }

    @Test("a lab that is brought up again finds its volume as it was, however often it was replaced before")
    func downUp() async throws {
        let world = try LabTestWorld()
        var lines: [String] = []
        for round in 1...4 {
            try await world.up()
            for generation in 1...4 {
                lines.append("\(round).\(generation)")
                world.write("\(round).\(generation)", by: generation)
                if generation < 4 { #expect(try await world.replace("tiny:2").outcome == .committed) }
            }
            try await world.engine.down(world.id.lab)
            #expect(try world.written() == lines)
        }
    }

    @Test("a volume is not deleted while a server has it; then it is kept aside until it is purged")
    func volumeDelete() async throws {
        let world = try LabTestWorld()
        try await world.up()
        world.write("a", by: 1)
        let volumes = world.engine.volumes
        for isRunning in [true, false] {
            if !isRunning { try await world.engine.stop(world.id) }
            let error = try #require(throws: KilnError.self) { try volumes.retain(lab: world.id.lab, world.volume) }
            #expect(error.code == .volumeLeased)
        }
        try await world.engine.down(world.id.lab)
        let active = try world.activeLayer
        world.world.holders.hold(active, by: FileHolder(pid: 1, name: "x"))
        #expect(throws: KilnError.self) { try volumes.retain(lab: world.id.lab, world.volume) }
        world.world.holders.hold(active, by: nil)
        let kept = try volumes.retain(lab: world.id.lab, world.volume)
        #expect(volumes.readableList().volumes.isEmpty)
        #expect(try volumes.retained() == [kept])
        #expect(throws: KilnError.self) { try volumes.purge("../volumes") }
        try volumes.purge(kept)
        #expect(try volumes.retained().isEmpty)
        #expect(throws: KilnError.self) { try volumes.retain(lab: world.id.lab, world.volume) }
    }
}
