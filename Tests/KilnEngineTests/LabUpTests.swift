import Foundation
import KilnEngine
import KilnModel
import KilnSystem
import KilnTestSupport
import Synchronization
import Testing

@Suite struct LabUpTests {
    @Test("up makes the volume, launches the server and waits until it is ready")
    func launch() async throws {
        let world = try LabTestWorld()
        let status = try await world.up()
        #expect(status.generation == Generation(1))
        #expect(status.state == .running)
        #expect(status.operation == nil)
        #expect(status.image?.version == "1")
        #expect(world.world.hypervisor.alive == [world.machine(1)])
        #expect(try world.record().lease?.machine == world.machine(1))
        #expect(world.world.hypervisor.spec(world.machine(1))?.volumes.map(\.id) == [try world.record().id])
        #expect(world.world.ports.reservations == 0)
    }

    @Test("who else changes the list of labs is waited for")
    func together() async throws {
        let world = try LabTestWorld()
        try DurableFile.makeDirectory(world.world.state.labs)
        let lock = try FileLock(world.world.state.labs + "/lock", subject: "the list of labs")
        async let status = world.up()
        try await Task.sleep(for: .milliseconds(200))
        withExtendedLifetime(consume lock) {}
        #expect(try await status.generation == Generation(1))
    }

    @Test("up can be repeated: what runs is left as it is, and the volume is formatted once")
    func idempotent() async throws {
        let world = try LabTestWorld()
        let first = try await world.up()
        let files = try world.files()
        world.world.faults.fail("createVolume", with: KilnError("fake", "formatted again"))
        let again = try await world.up()
        #expect(again.instanceID == first.instanceID && again.generation == first.generation)
        #expect(again.state == .running && again.ports == first.ports)
        #expect(world.world.hypervisor.starts(world.machine(1)) == 1)
        #expect(try world.files() == files)
        #expect(try await world.engine.plan(try world.lab()).servers.map(\.kind) == [.nothing])
    }

    @Test(
        "whether a degraded cloud-init matters is up to `ready`, also where the mounts wait for its end",
        arguments: [
            ([Probe.agent, .cloudInit()], false), ([.agent, .cloudInit(allowDegraded: true)], true), ([.agent], true),
        ]
    )
    func degraded(_ ready: [Probe], _ comesUp: Bool) async throws {
        let world = try LabTestWorld(["1": GuestBehaviour(.degraded)])
        var spec = try world.spec()
        spec.ready = ready.map { Check($0) }
        guard !comesUp else {
            #expect(try await world.up(spec).state == .running)
            return
        }
        let error = try await #require(throws: KilnError.self) { try await world.up(spec) }
        #expect(error.message.contains("cloud-init is degraded"), "\(error)")
    }

    @Test("a server that is declared otherwise runs on as it is")
    func differs() async throws {
        let world = try LabTestWorld()
        try await world.up()
        let other = try world.lab([world.id.server: try world.spec("tiny:2")])
        #expect(try await world.engine.plan(other).servers.map(\.kind) == [.differs])
        #expect(try await world.engine.up(other).first?.generation == Generation(1))
        #expect(try await world.engine.replace(world.id).outcome == .committed)
        #expect(try await world.engine.status(world.id).image?.version == "2")
    }

    @Test("a plan names what up would make, and changes nothing")
    func plan() async throws {
        let world = try LabTestWorld()
        let before = try world.files()
        let plan = try await world.engine.plan(try world.lab())
        #expect(plan.volumes.map(\.name) == [world.volume])
        #expect(plan.servers.map(\.kind) == [.launch])
        #expect(plan.servers.first?.changes.map(\.kind) == [.image, .volume])
        #expect(try world.files() == before && world.world.hypervisor.starts(world.machine(1)) == 0)
        let missing = try world.lab([world.id.server: try world.spec("tiny:9")])
        await #expect { try await world.engine.plan(missing) } throws: { ($0 as? KilnError)?.code == .imageMissing }
    }

    @Test("a plan of a replacement names image, configuration and volumes, and changes nothing")
    func replacementPlan() async throws {
        let world = try LabTestWorld()
        try await world.up()
        var spec = try world.spec("tiny:2")
        spec.keepRoots = 2
        _ = try await world.engine.up(try world.lab([world.id.server: spec]))
        let before = try world.files()
        let options = ReplaceOptions(strategy: .warmFirst)
        let plan = try await world.engine.planReplacement(world.id, options)
        #expect(plan.from == Generation(1) && plan.to == Generation(2) && plan.strategy == .warmFirst)
        #expect(plan.changes.map(\.name) == ["image", "keep-roots", "strategy"])
        #expect(plan.changes.first?.from?.hasPrefix("tiny:1 (") == true && plan.volumes.keys.contains(world.volume))
        #expect(!plan.recoversFirst)
        #expect(try world.files() == before)
        #expect(try await world.engine.replace(world.id, options).to == plan.to)
    }

    @Test("a missing image leaves nothing behind")
    func missingImage() async throws {
        let world = try LabTestWorld()
        let lab = try world.lab([world.id.server: try world.spec("tiny:9")])
        let error = try await #require(throws: KilnError.self) { try await world.engine.up(lab) }
        #expect(error.code == .imageMissing)
        #expect(try world.files().isEmpty)
        #expect(try await world.world.hypervisor.machines().isEmpty)
    }

    @Test("a launch that fails gives the reason, keeps the volume and leaves no machine; up tries again")
    func failedLaunch() async throws {
        let world = try LabTestWorld(["1": GuestBehaviour(.cloudInitFails)])
        let error = try await #require(throws: KilnError.self) { try await world.up() }
        #expect(error.code == .readyFailed)
        #expect(error.message.contains("lab/web"))
        #expect(try await world.world.hypervisor.machines().isEmpty)
        #expect(try world.record().lease == nil)
        #expect(!world.exists(world.world.state.rootOverlay(world.machine(1))))
        #expect(!world.exists(world.world.state.seed(world.machine(1))))
        try world.world.images.add("1")
        #expect(try await world.up().generation == Generation(2))
    }

    @Test("a launch whose way back fails has halted, and says so; once that is taken back, up begins anew")
    func halted() async throws {
        let world = try LabTestWorld(["1": GuestBehaviour(.cloudInitFails)])
        let fakes = world.world
        let volume = fakes.state.volume(lab: world.id.lab, world.volume)
        let taken = Mutex("")
        fakes.faults.before("waitUntilOff") { [weak fakes] in
            guard let fakes, let layer = fakes.engine.volumes.readableList().volumes.first?.layers.last else { return }
            taken.withLock { $0 = "\(volume)/\(layer)" }
            fakes.holders.hold("\(volume)/\(layer)", by: FileHolder(pid: 4711, name: "qemu-nbd"))
        }
        let error = try await #require(throws: KilnError.self) { try await world.up() }
        #expect(error.code == .replaceHalted && error.exit == .halted, "\(error)")
        #expect(error.message.contains("qemu-nbd (pid 4711)"))
        #expect(error.hint?.contains("kiln recover lab/web") == true)
        #expect(error.cause?.hasPrefix("healthy failed first: ") == true)
        let again = try await #require(throws: KilnError.self) { try await world.up() }
        #expect(again.code == .replaceHalted && again.message == error.message)
        fakes.faults.before("waitUntilOff", nil)
        fakes.holders.hold(taken.withLock { $0 }, by: nil)
        #expect(try await world.engine.recover(world.id)?.outcome == .reverted)
        #expect(world.world.hypervisor.alive.isEmpty)
        try world.world.images.add("1")
        #expect(try await world.up().generation == Generation(2))
    }

    @Test("a volume that is declared otherwise is not made anew")
    func volumeDiffers() async throws {
        let world = try LabTestWorld()
        try await world.up()
        let lab = LabSpec(
            name: world.id.lab,
            volumes: [world.volume: VolumeSpec(size: .mebibytes(128))],
            servers: [world.id.server: try world.spec()]
        )
        let error = try await #require(throws: KilnError.self) { try await world.engine.up(lab) }
        #expect(error.code == .volumeDiffers)
    }

    @Test("the seed is gone once the server is ready")
    func seedDropped() async throws {
        let world = try LabTestWorld()
        try await world.up()
        #expect(world.world.seeds.files(world.world.state.seed(world.machine(1))) != nil)
        #expect(!world.exists(world.world.state.seed(world.machine(1))))
        #expect(world.world.hypervisor.spec(world.machine(1))?.seed == nil)
    }

    @Test("a launch that fails in its COMMIT stays open and serves, which is neither done nor not done")
    func openInCommit() async throws {
        let world = try LabTestWorld()
        let kept = KilnError(.machineSeedKept, "the guest does not let go", exit: .deadline)
        world.world.faults.fail("detachSeed", with: kept)
        let error = try await #require(throws: KilnError.self) { try await world.up() }
        #expect(error.code == .replaceOpen && error.exit == .halted)
        #expect(world.world.hypervisor.alive == [world.machine(1)])
        world.world.faults.fail("detachSeed", with: nil)
        try await world.up()
        #expect(try world.engine.history(world.id).current == Generation(1))
    }

    @Test("many servers of one lab are told each with its own port, by name, as each alone is")
    func manyServers() async throws {
        let world = try LabTestWorld()
        let http = try Name("http")
        let spec = ServerSpec(image: try ImageReference("tiny:1"), ports: [http: PortSpec(guest: 80)])
        let names = try (10..<30).map { try Name("web\($0)") }
        _ = try await world.engine.up(
            LabSpec(
                name: world.id.lab,
                volumes: [:],
                servers: Dictionary(uniqueKeysWithValues: names.map { ($0, spec) })
            )
        )
        let seen = try await world.engine.statuses()
        #expect(seen.map(\.name) == names)
        #expect(Set(seen.compactMap { $0.ports[http]?.host }).count == names.count)
        for status in seen {
            let alone = try await world.engine.status(MemberID(lab: status.lab, server: status.name))
            #expect(alone.ports == status.ports)
        }
    }

    @Test("ports are chosen once, kept over replacements, and differ between labs")
    func ports() async throws {
        let world = try LabTestWorld()
        let http = try Name("http")
        let first = try #require(try await world.up().ports[http])
        #expect(first.guest == 80)
        #expect(try await world.replace("tiny:2").outcome == .committed)
        #expect(try await world.engine.status(world.id).ports[http] == first)
        var chosen: Set<UInt16> = [first.host]
        world.world.ports.take(first.host == 20000 ? 20001 : 20000)
        for number in 1...30 {
            let lab = LabSpec(
                name: try Name("lab-\(number)"),
                volumes: [:],
                servers: [
                    world.id.server: ServerSpec(image: try ImageReference("tiny:1"), ports: [http: PortSpec(guest: 80)])
                ]
            )
            chosen.insert(try #require(try await world.engine.up(lab).first?.ports[http]?.host))
        }
        #expect(chosen.count == 31)
        #expect(!chosen.contains(first.host == 20000 ? 20001 : 20000))
        #expect(chosen.allSatisfy { world.world.ports.choice.contains($0) })
    }

    @Test("a port that the file fixes is taken as it is")
    func fixedPort() async throws {
        let world = try LabTestWorld()
        var spec = try world.spec()
        spec.ports = [try Name("http"): PortSpec(guest: 80, host: 8080)]
        let status = try #require(try await world.engine.up(try world.lab([world.id.server: spec])).first)
        #expect(status.ports[try Name("http")]?.host == 8080)
    }

    @Test("a port that machines may not listen on is refused with the reason, before anything is made")
    func lowPort() async throws {
        let world = try LabTestWorld()
        var spec = try world.spec()
        spec.ports = [try Name("http"): PortSpec(guest: 80, host: 80)]
        let lab = try world.lab([world.id.server: spec])
        let before = try world.files()
        let error = await #expect(throws: KilnError.self) { try await world.engine.up(lab) }
        #expect(error?.code == .portPrivileged)
        #expect(error?.message.contains("below 1024") == true && error?.message.contains("port 80 ") == true)
        #expect(try world.files() == before)
    }

    @Test("a new volume that is larger than what the host has free is made, and that is said once")
    func largerThanHost() async throws {
        func notes(_ test: LabTestWorld) -> [String] {
            test.world.progress.compactMap { if case .note(let text) = $0 { text } else { nil } }
                .filter { $0.contains("GiB free") }
        }
        let plain = try LabTestWorld()
        try await plain.up()
        #expect(notes(plain).isEmpty)
        let test = try LabTestWorld()
        let size = ByteCount(bytes: 1 << 44)
        let volumes = [test.volume: VolumeSpec(size: size)]
        let lab = LabSpec(name: test.id.lab, volumes: volumes, servers: [test.id.server: try test.spec()])
        for _ in 0..<2 { _ = try await test.engine.up(lab) }
        let found = notes(test)
        #expect(found.count == 1 && found.first?.contains("lab/data: the host has") == true, "\(found)")
        #expect(found.first?.contains("less than \(size)") == true)
    }
}
