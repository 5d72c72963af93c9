import KilnEngine
import KilnModel
import KilnTestSupport
import Synchronization
import Testing

@Suite struct LabFrontTests {
    private let world: LabTestWorld
    private var fronts: FakeFronts { world.world.fronts }
    private var hypervisor: FakeHypervisor { world.world.hypervisor }

    init() throws { world = try LabTestWorld() }

    private func held() throws -> ServerSpec {
        var spec = try world.spec()
        spec.hold = .seconds(10)
        spec.drainTimeout = .milliseconds(60)
        return spec
    }

    private func published() async throws -> UInt16 {
        try #require(try await world.engine.status(world.id).ports[Name("http")]?.host)
    }

    /// The machine that a client of the published port reaches; nothing where it waits, or finds nobody.
    private func reached() async throws -> MachineID? {
        let port = try await published()
        let isHeld = fronts.plan(world.id.whole)?.ports.contains { $0.host == port } == true
        return (isHeld ? fronts.target(of: port) : port).flatMap { hypervisor.running(onPort: $0) }
    }

    /// Gives the guest another boot id with each reboot, before which something is looked at.
    private func rebooting(_ look: @escaping @Sendable () -> Void) {
        let boots = Mutex(0)
        world.world.faults.before("reboot") {
            look()
            boots.withLock { $0 += 1 }
        }
        world.world.guests.reply { arguments, _ in
            guard arguments.last == "/proc/sys/kernel/random/boot_id" else { return nil }
            let id = "00000000-0000-4000-8000-\(100_000_000_000 + boots.withLock { $0 })\n"
            return GuestCommandResult(status: 0, output: Array(id.utf8), errors: [])
        }
    }

    @Test("the front owns the published port, and each machine has a port of its own")
    func up() async throws {
        try await world.up(held())
        let plan = try #require(fronts.plan(world.id.whole))
        let port = try #require(plan.ports.first)
        #expect(try await port.host == published() && port.isHTTP && plan.spec.hold == .seconds(10))
        #expect(plan.slots.map(\.standing) == [.serving] && plan.slots.first?.ports[port.name] != port.host)
        #expect(try await reached() == world.machine(1))
        #expect(hypervisor.running(onPort: port.host) == nil)
    }

    @Test(
        "clients are with the old machine until it is drained, wait, and are with the new one as soon as it is ready",
        arguments: [Strategy.stopFirst, .warmFirst]
    )
    func replace(_ strategy: Strategy) async throws {
        try await world.up(held())
        let port = try await published()
        world.world.faults.before("requestShutdown") {
            #expect(fronts.target(of: port) == nil)
            #expect(hypervisor.alive.contains(world.machine(1)))
        }
        #expect(try await world.replace("tiny:2", strategy).outcome == .committed)
        #expect(try await reached() == world.machine(2))
        #expect(try await published() == port && fronts.cuts == 0)
    }

    @Test("after a revert clients are with the old machine again")
    func reverted() async throws {
        let world = try LabTestWorld(["1": GuestBehaviour(), "2": GuestBehaviour(.silent)])
        try await world.up(held())
        #expect(try await world.replace("tiny:2").outcome == .reverted)
        let slot = try #require(world.world.fronts.plan(world.id.whole)?.slots.first)
        let own = try #require(slot.ports.values.first)
        #expect(slot.standing == .serving)
        #expect(world.world.hypervisor.running(onPort: own) == world.machine(1))
    }

    @Test("what clients have not ended in 'drain-timeout' is cut, and said")
    func cut() async throws {
        try await world.up(held())
        fronts.connect(2)
        #expect(try await world.replace("tiny:2").outcome == .committed)
        #expect(fronts.cuts == 1)
        let notes = world.world.progress.compactMap { if case .note(let text) = $0 { text } else { nil } }
        #expect(notes.contains { $0.contains("2 connections were still open") }, "\(notes)")
    }

    private func draining(quietly: Bool) throws -> ServerSpec {
        var spec = try held()
        spec.drain = [Hook(["hand", "over"], isQuiet: quietly)]
        return spec
    }

    @Test("requests wait while a quiet drain hook runs, for a part of 'hold' at most; other hooks keep nobody waiting")
    func quiet() async throws {
        try await world.up(draining(quietly: true))
        let seen = Mutex<[Duration]>([])
        world.world.guests.reply { [fronts] arguments, _ in
            if arguments == ["hand", "over"] { seen.withLock { $0 = fronts.pauses } }
            return nil
        }
        #expect(try await world.replace("tiny:2").outcome == .committed)
        #expect(seen.withLock { $0 } == [.seconds(8)] && fronts.pauses == [.seconds(8), .zero])
        try await world.up(draining(quietly: false))
        #expect(try await world.replace("tiny:1").outcome == .committed)
        // That machine's own hook is the quiet one yet.
        #expect(fronts.pauses.count == 4)
        #expect(try await world.replace("tiny:2").outcome == .committed)
        #expect(fronts.pauses.count == 4)
    }

    @Test(
        "a quiet hook that fails lets requests through again; a front that can't pause is said, and keeps nobody from draining"
    )
    func quietFails() async throws {
        try await world.up(draining(quietly: true))
        world.world.guests.reply { arguments, _ in
            arguments == ["hand", "over"] ? GuestCommandResult(status: 1, output: [], errors: []) : nil
        }
        #expect(try await world.replace("tiny:2").outcome == .aborted)
        #expect(fronts.pauses == [.seconds(8), .zero])
        world.world.guests.reply { _, _ in nil }
        fronts.forgetPauses()
        #expect(try await world.replace("tiny:2").outcome == .committed)
        #expect(notes.contains { $0.contains("requests go on meanwhile") }, "\(notes)")
    }

    @Test("'hold' comes and goes with a replacement, and not before")
    func turning() async throws {
        try await world.up(world.spec())
        let port = try await published()
        try await world.up(held())
        #expect(fronts.plan(world.id.whole) == nil && hypervisor.running(onPort: port) == world.machine(1))
        #expect(try await world.replace("tiny:2", .warmFirst).outcome == .committed)
        #expect(try await reached() == world.machine(2))
        #expect(hypervisor.running(onPort: port) == nil)
        try await world.up(world.spec())
        #expect(try await world.replace("tiny:1").outcome == .committed)
        #expect(fronts.plan(world.id.whole) == nil && hypervisor.running(onPort: port) == world.machine(3))
    }

    @Test("a new machine without 'hold' that fails gives the port back to the front")
    func turningFails() async throws {
        let world = try LabTestWorld(["1": GuestBehaviour(), "2": GuestBehaviour(.silent)])
        try await world.up(held())
        try await world.up(world.spec())
        #expect(try await world.replace("tiny:2").outcome == .reverted)
        #expect(world.world.fronts.plan(world.id.whole)?.slots.map(\.standing) == [.serving])
    }

    @Test("clients wait while a server is stopped, is started, or reboots; a start takes them in again")
    func power() async throws {
        try await world.up(held())
        let port = try await published()
        try await world.engine.stop(world.id)
        #expect(fronts.target(of: port) == nil && fronts.plan(world.id.whole) != nil)
        try await world.engine.start(world.id)
        #expect(try await reached() == world.machine(1))
        rebooting { #expect(fronts.target(of: port) == nil) }
        try await world.engine.reboot(world.id)
        #expect(try await reached() == world.machine(1))
    }

    @Test("'up' brings back a front that is gone, and who is out though it serves", arguments: ["up", "recover"])
    func again(_ command: String) async throws {
        try await world.up(held())
        fronts.kill(world.id.whole)
        try await run(command)
        #expect(try await reached() == world.machine(1))
        fronts.refuse { plan in plan.slots.contains { $0.standing == .serving } ? LabFrontTests.failure : nil }
        world.world.faults.fail(
            "requestShutdown",
            with: KilnError("hypervisor.unreachable", "gone", exit: .unreachable)
        )
        await #expect(throws: KilnError.self) { try await world.engine.stop(world.id) }
        #expect(fronts.target(of: try await published()) == nil)
        world.world.faults.fail("requestShutdown", with: nil)
        fronts.refuse { _ in nil }
        try await run(command)
        #expect(try await reached() == world.machine(1))
    }

    private func run(_ command: String) async throws {
        if command == "recover" {
            _ = try await world.engine.recover(world.id)
        } else {
            try await world.up(held())
        }
    }

    @Test("a front that can't be had keeps no machine from coming back, and nothing halts for it")
    func cameBack() async throws {
        let world = try LabTestWorld(["1": GuestBehaviour(), "2": GuestBehaviour(.silent)])
        try await world.up(held())
        world.world.faults.before("requestShutdown") {
            world.world.faults.fail("applyFront", with: LabFrontTests.failure)
        }
        #expect(try await world.replace("tiny:2").outcome == .reverted)
        #expect(world.world.hypervisor.alive == [world.machine(1)])
        world.world.faults.fail("applyFront", with: nil)
        _ = try await world.engine.recover(world.id)
        #expect(world.world.fronts.plan(world.id.whole)?.slots.map(\.standing) == [.serving])
    }

    private static let failure = KilnError(.frontFailed, "no", exit: .aborted)

    private var notes: [String] {
        world.world.progress.compactMap { if case .note(let text) = $0 { text } else { nil } }
    }

    @Test("a front that does not let the old machine go is told, and stops no replacement")
    func deaf() async throws {
        try await world.up(held())
        fronts.refuse { plan in plan.slots.contains { $0.standing == .draining } ? LabFrontTests.failure : nil }
        world.world.faults.before("requestShutdown") { [fronts] in fronts.refuse { _ in nil } }
        #expect(try await world.replace("tiny:2").outcome == .committed)
        #expect(notes.contains { $0.contains("may still be sent requests") }, "\(notes)")
        #expect(try await reached() == world.machine(2))
    }

    @Test(
        "where clients can't be sent to the new machine the old one serves again, and nothing halts for want of the front"
    )
    func unfaithful() async throws {
        try await world.up(held())
        fronts.refuse { plan in plan.slots.contains { $0.standing == .serving } ? LabFrontTests.failure : nil }
        let report = try await world.replace("tiny:2")
        #expect(report.outcome == .reverted && report.turn?.code == .frontFailed)
        #expect(notes.contains { $0.contains("kiln recover \(world.id)") }, "\(notes)")
        fronts.refuse { _ in nil }
        #expect(try await world.engine.recover(world.id) == nil)
        #expect(try await reached() == world.machine(1))
    }

    @Test("a front that can't be had keeps no machine from being stopped, by force or with its lab")
    func stubborn() async throws {
        try await world.up(held())
        world.world.faults.fail("applyFront", with: LabFrontTests.failure)
        world.world.faults.fail("endFront", with: LabFrontTests.failure)
        try await world.engine.stop(world.id, force: true)
        #expect(hypervisor.alive.isEmpty)
        try await world.engine.down(world.id.lab)
        #expect(try world.engine.members().isEmpty)
        world.world.faults.fail("endFront", with: nil)
        #expect(try await world.engine.collectGarbage() == ["the front of \(world.id)"])
    }

    @Test("a guest that does not let itself be stopped gets its clients again")
    func unstopped() async throws {
        let world = try LabTestWorld(["1": GuestBehaviour(shutdown: .ignores)])
        try await world.up(held())
        await #expect(throws: KilnError.self) { try await world.engine.stop(world.id) }
        #expect(world.world.fronts.plan(world.id.whole)?.slots.map(\.standing) == [.serving])
    }

    @Test(
        "another way to keep clients comes with a replacement, and no request waits in vain for it",
        arguments: [Strategy.stopFirst, .warmFirst]
    )
    func changed(_ strategy: Strategy) async throws {
        try await world.up(held())
        var spec = try held()
        spec.hold = .seconds(20)
        spec.ports[try Name("more")] = PortSpec(guest: 81)
        try await world.up(spec)
        #expect(fronts.plan(world.id.whole)?.spec.hold == .seconds(10))
        world.world.faults.before("requestShutdown") { [fronts, world] in
            #expect(fronts.plan(world.id.whole)?.spec.hold == .seconds(20))
        }
        #expect(try await world.replace("tiny:2", strategy).outcome == .committed)
        #expect(fronts.plan(world.id.whole)?.ports.count == 2 && fronts.stranded == 0)
        #expect(try await reached() == world.machine(2))
    }

    @Test("a port that can't be had leaves the front as it was, with the old machine")
    func takenPort() async throws {
        try await world.up(held())
        let before = try #require(fronts.plan(world.id.whole))
        var spec = try held()
        spec.ports[try Name("more")] = PortSpec(guest: 81)
        try await world.up(spec)
        fronts.refuse { $0.ports.count == 2 ? KilnError(.portTaken, "taken", exit: .blocked) : nil }
        let report = try await world.replace("tiny:2")
        #expect(report.outcome == .reverted && report.turn?.code == .portTaken)
        #expect(fronts.plan(world.id.whole)?.ports == before.ports && fronts.stranded == 0)
        #expect(try await reached() == world.machine(1))
    }

    @Test("without the program nothing is begun")
    func missing() async throws {
        fronts.uninstall()
        let error = try await #require(throws: KilnError.self) { try await world.up(held()) }
        #expect(error.code == .frontNoProgram && hypervisor.alive.isEmpty)
    }

    @Test("nobody takes the port that a front is to have while the old machine is off")
    func reserved() async throws {
        try await world.up(world.spec())
        let port = try await published()
        try await world.up(held())
        let kept = Mutex(Set<UInt16>())
        world.world.faults.before("createLayer") { [world] in
            kept.withLock { $0 = world.world.ports.reserved }
        }
        #expect(try await world.replace("tiny:2").outcome == .committed)
        #expect(kept.withLock { $0 } == [port] && world.world.ports.reservations == 0)
    }

    @Test("after the host was started again nobody is sent to the port that a machine had before")
    func hostRestarted() async throws {
        try await world.up(held())
        hypervisor.set(world.machine(1), .off)
        fronts.kill(world.id.whole)
        _ = try await world.engine.recover(world.id)
        #expect(fronts.plan(world.id.whole)?.slots.map(\.standing) == [.out])
        try await world.engine.start(world.id)
        #expect(try await reached() == world.machine(1))
    }

    @Test("a launch that fails leaves no front")
    func launchFails() async throws {
        let world = try LabTestWorld(["1": GuestBehaviour(.silent)])
        await #expect(throws: KilnError.self) { try await world.up(held()) }
        #expect(world.world.fronts.plan(world.id.whole) == nil && world.world.hypervisor.alive.isEmpty)
    }

    @Test("what was recovered is told though clients can't reach the machine")
    func recovered() async throws {
        try await world.up(held())
        world.world.faults.before("requestShutdown") { [world] in world.world.faults.arm(.crashBefore, at: 1) }
        _ = try? await world.replace("tiny:2")
        world.world.faults.before("requestShutdown") {}
        world.world.faults.disarm()
        try world.world.reviveAfterCrash()
        fronts.refuse { plan in plan.slots.contains { $0.standing == .serving } ? LabFrontTests.failure : nil }
        #expect(try await world.engine.recover(world.id)?.outcome == .aborted)
        #expect(notes.contains { $0.contains("has no clients yet") }, "\(notes)")
        fronts.refuse { _ in nil }
        _ = try await world.engine.recover(world.id)
        #expect(try await reached() == world.machine(1))
    }

    @Test("a machine that is not found ready after its start has no clients, and that is told")
    func notReady() async throws {
        try await world.up(held())
        try await world.engine.stop(world.id)
        fronts.refuse { plan in plan.slots.contains { $0.standing == .serving } ? LabFrontTests.failure : nil }
        await #expect(throws: KilnError.self) { try await world.engine.start(world.id) }
        #expect(notes.contains { $0.contains("kiln recover \(world.id)") }, "\(notes)")
    }

    @Test("a lab that is taken down, and one that is gone, leave no front")
    func gone() async throws {
        try await world.up(held())
        try await world.engine.down(world.id.lab)
        #expect(fronts.plan(world.id.whole) == nil)
    }

    @Test("datagrams go to the new machine itself, by either strategy", arguments: [Strategy.stopFirst, .warmFirst])
    func datagrams(_ strategy: Strategy) async throws {
        var spec = try held()
        let dns = try Name("dns")
        spec.ports[dns] = PortSpec(guest: 53, transport: .udp)
        try await world.up(spec)
        #expect(try await world.replace("tiny:2", strategy).outcome == .committed)
        let host = try #require(try await world.engine.status(world.id).ports[dns]?.host)
        #expect(hypervisor.running(onPort: host) == world.machine(2))
        #expect(try await reached() == world.machine(2))
    }

    @Test("a rehearsal has no clients")
    func rehearsal() async throws {
        try await world.up(held())
        let port = try await published()
        world.world.faults.before("requestShutdown") { #expect(fronts.plan(world.id.whole)?.ports.count == 1) }
        let options = ReplaceOptions(image: try ImageReference("tiny:2"), rehearsesFirst: true)
        #expect(try await world.engine.replace(world.id, options).outcome == .committed)
        #expect(try await published() == port)
        #expect(try await reached() == world.machine(2))
    }
}
