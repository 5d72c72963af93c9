import Foundation
import KilnModel
import KilnTestSupport
import Testing

@testable import KilnEngine

@Suite("Mount points of a server") struct LabMountTests {
    private func looks(_ world: LabTestWorld) -> Int {
        world.world.guests.commands(of: "/bin/sh").filter { $0.line.contains("kiln glance ") }.count
    }

    @Test("volumes are told, plugged in and mounted by path, what lies below another one after it")
    func order() async throws {
        let world = try LabTestWorld()
        let (cache, data) = (try Name("cache"), try Name("data"))
        var spec = try world.spec()
        spec.volumes = [cache: "/data/cache", data: "/data"]
        let volume = VolumeSpec(size: .mebibytes(64))
        let lab = LabSpec(name: world.id.lab, volumes: [cache: volume, data: volume], servers: [world.id.server: spec])
        _ = try await world.engine.up(lab)
        let ids = try [data, cache].map { try #require(try world.engine.volumes.record(lab: world.id.lab, $0)).id }
        #expect(world.world.hypervisor.spec(world.machine(1))?.volumes.map(\.id) == ids)
        let definition = try await world.world.hypervisor.definition(of: world.machine(1))
        #expect(definition?.contains("kiln.mounts=/data,/data/cache ") == true, "\(definition ?? "")")
        #expect(try await world.replace("tiny:2", .warmFirst).outcome == .committed)
        #expect(world.world.hypervisor.spec(world.machine(2))?.volumes.map(\.id) == ids)
        let line = try #require(world.world.guests.commands(of: "/bin/sh").last { $0.line.contains("kiln ask ") }?.line)
        #expect(line.hasSuffix("ask data.mount /data \(ids[0]) data-cache.mount /data/cache \(ids[1])"))
    }

    @Test("a guest is reached only once its volumes were seen mounted since it booted, unless it has to be now")
    func awaitsMounts() async throws {
        let world = try LabTestWorld()
        try await world.up()
        let command = GuestCommand(["date"])
        _ = try await world.engine.run(command, on: world.id)
        #expect(looks(world) == 0)
        // As after a boot in which nobody has looked yet.
        try ServerWorkspace(id: world.id, state: world.world.state, parts: world.engine.parts).markBoot(
            world.machine(1)
        )
        for _ in 1...2 { _ = try await world.engine.read("/etc/hosts", on: world.id) }
        #expect(looks(world) == 1)

        try ServerWorkspace(id: world.id, state: world.world.state, parts: world.engine.parts).markBoot(
            world.machine(1)
        )
        world.world.guests.answer("/bin/sh") { _ in 1 }
        let error = try await #require(throws: KilnError.self) { try await world.engine.run(command, on: world.id) }
        #expect(error.code == .volumeNotMounted && error.hint?.contains("--now") == true)
        await #expect(throws: KilnError.self) { try await world.engine.write([1], to: "/data/x", on: world.id) }
        #expect(world.world.guests.commands(of: "date").count == 1)
        _ = try await world.engine.run(command, on: world.id, now: true)
        #expect(world.world.guests.commands(of: "date").count == 2)
    }

    @Test("a command that tells readiness runs only where the volumes are mounted")
    func probes() async throws {
        let world = try LabTestWorld(["1": GuestBehaviour(mounts: false)])
        var spec = try world.spec()
        spec.ready = [Check(.agent), Check(.cloudInit()), Check(.exec(["touch", "/data/x"]))]
        let error = try await #require(throws: KilnError.self) { try await world.up(spec) }
        #expect(error.code == .volumeNotMounted)
        #expect(world.world.guests.commands(of: "touch").isEmpty)
    }

    @Test("a warm machine that can't be ready without its volumes is told what may be the reason")
    func warm() async throws {
        let world = try LabTestWorld(["1": GuestBehaviour(), "2": GuestBehaviour(.cloudInitFails)])
        try await world.up()
        let turn = try #require(try await world.replace("tiny:2", .warmFirst).turn)
        #expect(turn.code == .readyFailed && turn.step == .warm)
        #expect(turn.hint?.contains("nothing can be written below /data before they are mounted") == true)
        #expect(turn.hint?.contains("after-attach") == true)
    }

    @Test("a machine whose agent can't ask for it keeps its seed until its kernel has written by itself")
    func writeBack() async throws {
        let world = try LabTestWorld()
        let (machine, seed) = (world.machine(1), world.world.state.seed(world.machine(1)))
        world.world.guests.answer("sync") { _ in 1 }
        world.world.faults.before("waitUntilOff") { #expect(FileManager.default.fileExists(atPath: seed)) }
        try await world.up()
        #expect(!world.exists(seed))
        let waits = world.world.hypervisor.waits(machine)
        #expect(waits.contains { $0 > .seconds(30) && $0 <= .seconds(45) }, "\(waits)")
        #expect(world.world.progress.contains { "\($0)".contains("its kernel to write what its boot made") })
    }

    @Test(
        "a machine that stands still meanwhile has written nothing: it keeps its seed, and is brought up only once it goes on"
    )
    func paused() async throws {
        let world = try LabTestWorld()
        let (machine, seed) = (world.machine(1), world.world.state.seed(world.machine(1)))
        world.world.guests.answer("sync") { [hypervisor = world.world.hypervisor] _ in
            hypervisor.set(machine, .paused)
            return 1
        }
        let error = try await #require(throws: KilnError.self) { try await world.up() }
        #expect(error.code == .replaceOpen && error.exit == .halted && error.message.contains("paused"))
        #expect(world.exists(seed))
        world.world.guests.answer("sync") { _ in 0 }
        #expect(try await world.up().state == .running)
        #expect(!world.exists(seed) && world.world.hypervisor.starts(machine) == 1)
    }

    @Test("an image of Kiln's that booted by a label boots by the serial number of its root")
    func rootBySerial() async throws {
        let world = try LabTestWorld()
        try world.world.images.add("2", commandLine: "root=LABEL=root rw")
        try await world.up(try world.spec("tiny:2"))
        let definition = try await world.world.hypervisor.definition(of: world.machine(1))
        #expect(definition?.contains("root=/dev/disk/by-id/virtio-kiln-root rw") == true)
        #expect(definition?.contains("LABEL") == false)
    }

    @Test("another image that boots by a label is refused beside a volume of that name, and boots beside others")
    func ambiguousRoot() async throws {
        let world = try LabTestWorld()
        // The fake's version 1 is none of Kiln's initrd.
        try world.world.images.add("1", commandLine: "root=LABEL=data rw")
        let error = try await #require(throws: KilnError.self) { try await world.up() }
        #expect(error.code == .imageBootsByLabel && error.message.contains("lab/data"))
        try world.world.images.add("1", commandLine: "root=LABEL=root rw")
        try await world.up()
    }

    @Test(
        "an image that boots by the UUID of a file system that was imported is refused beside it, and beside its clone"
    )
    func ambiguousUUID() async throws {
        let world = try LabTestWorld()
        let other = try LabTestWorld()
        try await other.up()
        let file = world.world.root + "/export"
        _ = try await other.engine.exportVolume(lab: other.id.lab, other.volume, to: file, as: .raw)
        let root = FakeDisks.imported.identity.uuidString.lowercased()
        try world.world.images.add("1", commandLine: "root=UUID=\(root) rw")
        _ = try await world.engine.volumes.importVolume(file, lab: world.id.lab, name: world.volume)
        let error = try await #require(throws: KilnError.self) { try await world.up() }
        #expect(error.code == .imageBootsByLabel && error.message.contains("a UUID that the volume lab/data"))
        try world.world.images.add("1", commandLine: "root=UUID=\(UUID().uuidString.lowercased()) rw")
        try await world.up()
    }
}
