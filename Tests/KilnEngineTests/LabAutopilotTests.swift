import Foundation
import KilnModel
import KilnSystem
import KilnTestSupport
import Synchronization
import Testing

@testable import KilnEngine

@Suite("An autopilot of a lab")
struct LabAutopilotTests {
    private let world: LabTestWorld
    private var engine: LabEngine { world.engine }
    private var hypervisor: FakeHypervisor { world.world.hypervisor }
    private var files: AutopilotFiles { AutopilotFiles(lab: world.id.lab, state: world.world.state) }

    init() throws { world = try LabTestWorld() }

    private func up(_ change: (inout ServerSpec) -> Void = { _ in }) async throws {
        var spec = try world.spec()
        spec.heal = HealSpec()
        spec.drainTimeout = .milliseconds(60)
        change(&spec)
        _ = try await engine.up(world.lab([world.id.server: spec]))
    }

    /// Looks once, and tells what was decided.
    private func look(_ options: AutopilotOptions = AutopilotOptions(isOnce: true)) async throws
        -> (words: [String], report: AutopilotReport)
    {
        let lines = Mutex<[AutopilotLine]>([])
        let report = try await engine.autopilot(world.id.lab, options) { line in lines.withLock { $0.append(line) } }
        return (lines.withLock { $0 }.map { "\($0.decision) \($0.member.title)" }, report)
    }

    private func status() async throws -> ServerStatus { try #require(try await engine.statuses(of: [world.id]).first) }

    /// Notes a heal of some time ago that did not help.
    private func failedBefore(_ act: AutopilotAct) throws {
        let heal = AutopilotHeal(
            act,
            world.id,
            cause: .gone,
            generation: Generation(1),
            attempt: 1,
            used: 1,
            spec: HealSpec()
        )
        let failure = AutopilotFailure(.readyTimeout, "it was not ready")
        try files.append(.began(heal, at: AutopilotClock.now - .seconds(60)))
        try files.append(.ended(world.id, .failed(failure), at: AutopilotClock.now - .seconds(30)))
    }

    @Test("a machine that is gone is started again, the same generation, once its volume has passed a check")
    func gone() async throws {
        try await up()
        world.write("kept", by: 1)
        hypervisor.set(world.machine(1), .off)
        let checks = Mutex(0)
        world.world.faults.before("checkFileSystem") { checks.withLock { $0 += 1 } }
        let end = try await look()
        #expect(end.words == ["start web", "serves web"] && end.report.done == 1 && end.report.exit == .done)
        let status = try await status()
        #expect(status.state == .running && status.generation == Generation(1))
        #expect(hypervisor.starts(world.machine(1)) == 2 && checks.withLock { $0 } == 1)
        #expect(try world.written() == ["kept"])
        #expect(try engine.autopilotRecords(of: world.id).map(\.event.line.decision) == ["start", "serves"])
    }

    @Test("what serves is left as it is, and nothing is written down")
    func ready() async throws {
        try await up()
        let end = try await look()
        #expect(end.words.isEmpty && end.report.exit == .done)
        #expect(try engine.autopilotRecords(of: world.id).isEmpty)
        #expect(hypervisor.starts(world.machine(1)) == 1)
    }

    @Test("a machine that is silent is ended by force and started again")
    func silent() async throws {
        try await up()
        let disk = world.world.images.disk("1")
        hypervisor.setBehaviour(GuestBehaviour(.silent), ofImage: disk)
        world.world.faults.before("powerOff") { [hypervisor] in hypervisor.setBehaviour(GuestBehaviour(), ofImage: disk)
        }
        let end = try await look()
        #expect(end.words == ["restart web", "serves web"])
        #expect(hypervisor.starts(world.machine(1)) == 2)
        #expect(try engine.history(world.id).isWantedOn)
    }

    @Test("a machine that a full disk paused is let go on, never loses its power, and is told of where it pauses again")
    func paused() async throws {
        try await up()
        let disk = world.world.images.disk("1")
        let cuts = Mutex(0)
        world.world.faults.before("powerOff") { cuts.withLock { $0 += 1 } }
        hypervisor.setBehaviour(GuestBehaviour(.pauses), ofImage: disk)
        hypervisor.set(world.machine(1), .paused)
        try failedBefore(.restart)
        #expect(try await look().words == ["restart web", "failed web"])
        let line = try #require(try engine.autopilotRecords(of: world.id).last?.event.line)
        #expect(line.code == .machinePaused && line.hint?.contains("free some space") == true)
        // Also where it was paused only after it had been decided to replace it.
        let error = await #expect(throws: KilnError.self) { try await engine.requireSound(world.id, Generation(1)) }
        #expect(error?.code == .machinePaused)
        hypervisor.setBehaviour(GuestBehaviour(), ofImage: disk)
        try await engine.start(world.id)
        #expect(try await look().words == ["serves web"])
        #expect(cuts.withLock { $0 } == 0 && hypervisor.starts(world.machine(1)) == 1)
    }

    @Test("a look has the time that the checks of a member declare together, and 20 s at least")
    func patience() async throws {
        func told(_ seconds: [Int]) async throws -> Duration {
            try await up { $0.ready = [Check(.cloudInit())] + seconds.map { Check(.agent, timeout: .seconds($0)) } }
            let seen = try await AutopilotView(engine: engine, lab: world.id.lab).observe()
            #expect(seen.servers.patience == seen.members.patience)
            try await engine.down(world.id.lab)
            return seen.members.patience
        }
        #expect(try await told([30, 40]) == .seconds(70))
        #expect(try await told([5]) == .seconds(20))
    }

    @Test("what a person stopped stays off, until a person starts it")
    func stopped() async throws {
        try await up()
        try await engine.stop(world.id)
        #expect(try await look().words == ["leave web"])
        #expect(try await status().state == .off)
        try await engine.start(world.id)
        hypervisor.set(world.machine(1), .off)
        #expect(try await look().words == ["start web", "serves web"])
    }

    @Test("where a start did not help it gets another machine of the same image on the same volume")
    func replaced() async throws {
        try await up()
        world.write("kept", by: 1)
        hypervisor.set(world.machine(1), .off)
        try failedBefore(.start)
        let before = try engine.record(world.id)
        #expect(try await look().words == ["replace web", "serves web"])
        let after = try engine.record(world.id)
        #expect(after.machine.generation == Generation(2) && after.image == before.image && after.spec == before.spec)
        #expect(try world.written() == ["kept"])
    }

    @Test("a version that means another image by now is not brought: the same digest is")
    func sameDigest() async throws {
        try await up { $0.image = (try? ImageReference("tiny")) ?? $0.image }
        let served = try engine.record(world.id).image.digest
        try world.world.images.add("3", GuestBehaviour(.silent))
        hypervisor.set(world.machine(1), .off)
        try failedBefore(.start)
        #expect(try await look().words == ["replace web", "serves web"])
        #expect(try engine.record(world.id).image.digest == served)
    }

    @Test("no machine gets a volume that a check calls damaged: a person has to decide, and nothing more is tried")
    func damaged() async throws {
        try await up()
        world.write("damage", by: 1)
        hypervisor.set(world.machine(1), .off)
        #expect(try await look().words == ["start web", "failed web"])
        let first = try #require(try engine.autopilotRecords(of: world.id).last?.event.line)
        let hint = try #require(first.hint)
        #expect(first.text.hasSuffix("; next: \(hint)") && hint.contains("kiln volume check lab/data --repair"))
        let json = try #require(String(data: JSONEncoder().encode(first), encoding: .utf8))
        #expect(json.contains(#""hint":"#))
        let second = try await look()
        #expect(second.words == ["given-up web"] && second.report.exit == .halted)
        let line = try #require(try engine.autopilotRecords(of: world.id).last?.event.line)
        #expect(line.code == .volumeDamaged && line.text.contains("kiln volume check lab/data --repair"))
        #expect(try await look().words == ["leave web"] && hypervisor.alive.isEmpty)
        #expect(try await status().autopilot == AutopilotStanding(pid: nil, isGivenUp: true))
    }

    @Test(
        "a replacement begins with the check: the volume of a machine that is silent, too, is not handed on with damage"
    )
    func damagedBeforeReplacement() async throws {
        try await up()
        world.write("damage", by: 1)
        hypervisor.setBehaviour(GuestBehaviour(.silent), ofImage: world.world.images.disk("1"))
        try failedBefore(.restart)
        #expect(try await look().words == ["replace web", "failed web"])
        #expect(try engine.history(world.id).operations.count == 1 && hypervisor.alive.isEmpty)
    }

    @Test("between two heals of a member there is a pause")
    func pause() async throws {
        try await up()
        hypervisor.setBehaviour(GuestBehaviour(.silent), ofImage: world.world.images.disk("1"))
        hypervisor.set(world.machine(1), .off)
        let first = try await look()
        #expect(first.words == ["start web", "failed web"] && first.report.exit == .aborted)
        #expect(try await look().words == ["wait web"])
    }

    @Test("of several members only the one that is gone is touched")
    func members() async throws {
        try await up { $0.fleet = FleetSpec(replicas: 3) }
        let second = world.id.whole.member(1).machine(Generation(1))
        hypervisor.set(second, .off)
        #expect(try await look().words == ["start web.1", "serves web.1"])
        #expect(hypervisor.starts(second) == 2 && hypervisor.starts(world.machine(1)) == 1)
        let serving = world.world.fronts.plan(world.id.whole)?.slots.filter { $0.standing == .serving }.map(\.ordinal)
        #expect(serving == [0, 1, 2])
    }

    @Test("after the host's boot all members are started again, however many are off")
    func hostBoot() async throws {
        world.world.haveMemory(.mebibytes(4096))
        try await up { $0.fleet = FleetSpec(replicas: 5) }
        for ordinal in 0..<5 {
            let machine = world.id.whole.member(ordinal).machine(Generation(1))
            hypervisor.set(machine, .off)
            // That of another boot says nothing any more.
            try FileManager.default.removeItem(atPath: world.world.state.generation(machine) + "/ready.since")
        }
        let end = try await look(AutopilotOptions(until: .ready(world.id.whole)))
        #expect(end.report.done == 5 && end.report.stuck.isEmpty, "\(end.words)")
    }

    @Test("a server whose rollout is open is the rollout's")
    func rollout() async throws {
        try await up {
            $0.fleet = FleetSpec(replicas: 2, rollout: RolloutSpec(canaries: 1, pause: .untilPromoted))
        }
        _ = try await engine.rollOut(world.id.whole, ReplaceOptions(image: ImageReference("tiny:2")))
        hypervisor.set(world.machine(1), .off)
        #expect(try await look().words == ["leave web"])
    }

    @Test("who is being worked on by another command is left alone")
    func others() async throws {
        try await up()
        hypervisor.set(world.machine(1), .off)
        do {
            let lock = try FileLock(world.world.state.member(world.id) + "/lock", subject: "server lab/web")
            defer { withExtendedLifetime(lock) {} }
            #expect(try await look().words == ["leave web"])
        }
        #expect(try await look().words == ["start web", "serves web"])
    }

    @Test("a replacement that was killed is ended")
    func interrupted() async throws {
        try await up()
        world.world.faults.before("define") { [faults = world.world.faults] in faults.arm(.crashAfter, at: 3) }
        _ = try? await world.replace("tiny:2")
        world.world.faults.before("define", nil)
        world.world.faults.disarm()
        try world.world.reviveAfterCrash()
        #expect(try engine.history(world.id).open != nil)
        #expect(try await look().words == ["recover web", "serves web"])
        #expect(try engine.history(world.id).open == nil)
        #expect(try await status().state == .running)
    }

    @Test("what has halted since the look is for a person, and what has ended is nobody's: neither is recovered")
    func interruptedBefore() async throws {
        try await up()
        let heal = AutopilotHeal(
            .recover,
            world.id,
            cause: .interrupted,
            generation: Generation(1),
            attempt: 1,
            used: 1,
            spec: HealSpec()
        )
        let mover = AutopilotMover(engine: engine)
        #expect(try await mover.perform(heal) == .left("what was interrupted has ended meanwhile"))
        let (holders, layer) = (world.world.holders, try world.activeLayer)
        world.world.faults.before("waitUntilOff") { holders.hold(layer, by: FileHolder(pid: 4711, name: "qemu-nbd")) }
        #expect(try await world.replace("tiny:2").outcome == .halted)
        world.world.faults.before("waitUntilOff", nil)
        holders.hold(layer, by: nil)
        let before = try engine.workspace(world.id).journal.records().count
        #expect(try await mover.perform(heal) == .left("it halted meanwhile"))
        #expect(try engine.history(world.id).halted != nil)
        #expect(try engine.workspace(world.id).journal.records().count == before)
    }

    @Test("a dry run tells, and changes nothing; it needs no lock")
    func dryRun() async throws {
        try await up()
        hypervisor.set(world.machine(1), .off)
        let lock = try files.lock()
        defer { withExtendedLifetime(lock) {} }
        let end = try await look(AutopilotOptions(isDryRun: true, isOnce: true))
        #expect(end.words == ["start web"] && hypervisor.alive.isEmpty)
        #expect(try engine.autopilotRecords(of: world.id).isEmpty)
    }

    @Test("a lab has one autopilot: the second is refused, and told the process of the first")
    func second() async throws {
        try await up()
        let lock = try files.lock()
        let error = await #expect(throws: KilnError.self) { try await look() }
        #expect(error?.code == .lockHeld && error?.exit == .blocked)
        #expect(error?.message.contains("\(getpid())") == true)
        #expect(try await status().autopilot == AutopilotStanding(pid: getpid(), isGivenUp: false))
        withExtendedLifetime(lock) {}
    }

    @Test("where no server declares it, or no lab is there, that is said")
    func nobody() async throws {
        let missing = await #expect(throws: KilnError.self) { try await look() }
        #expect(missing?.code == .labMissing)
        try await up { $0.heal = nil }
        let none = await #expect(throws: KilnError.self) { try await look() }
        #expect(none?.code == .labNoHeal && none?.exit == .usage)
    }

    @Test("until a server is ready again it looks on; then it ends")
    func until() async throws {
        try await up()
        hypervisor.set(world.machine(1), .off)
        let end = try await look(AutopilotOptions(until: .ready(world.id.whole)))
        #expect(end.words == ["start web", "serves web"] && end.report.done == 1)
    }

    @Test("who is due is replaced by the same image and configuration, in its window only")
    func due() async throws {
        let minute = AutopilotClock.minute
        var window = HealSpec.Window(from: (minute + 120) % 1440, to: (minute + 180) % 1440)
        func declare() async throws {
            try await up {
                $0.maxAge = .milliseconds(1)
                $0.heal?.window = window
            }
        }
        try await declare()
        try world.age(world.machine(1))
        #expect(try await look().words.isEmpty)
        window = HealSpec.Window(from: (minute + 1380) % 1440, to: (minute + 60) % 1440)
        try await declare()
        #expect(try await look().words == ["renew web", "serves web"])
        let status = try await status()
        #expect(status.generation == Generation(2) && status.image?.version == "1")
    }

    @Test(
        "who was stopped, replaced or taken into a rollout since the look is left alone",
        arguments: [AutopilotAct.start, .replace, .renew]
    )
    func changedMeanwhile(_ act: AutopilotAct) async throws {
        try await up { $0.fleet = FleetSpec(replicas: 2) }
        let id = world.id.whole.member(1)
        func perform() async throws -> String {
            let heal = AutopilotHeal(
                act,
                id,
                cause: .old,
                generation: Generation(1),
                attempt: 1,
                used: 1,
                spec: HealSpec()
            )
            if act != .renew { hypervisor.set(id.machine(Generation(1)), .off) }
            guard case .left(let reason) = try await AutopilotMover(engine: engine).perform(heal) else {
                return "acted"
            }
            return reason
        }
        do {
            let rollout = try await RolloutFiles(server: id.whole, state: world.world.state).lock()
            defer { withExtendedLifetime(rollout) {} }
            #expect(try await perform().contains("the rollout of lab/web is being changed"))
        }
        try await engine.stop(id)
        #expect(try await perform() == "it was stopped meanwhile")
        #expect(try engine.history(id).isWantedOn == false)
        try await engine.start(id)
        _ = try await engine.replace(id)
        #expect(try await perform() == "it was replaced meanwhile")
        #expect(try await engine.status(id).generation == Generation(2))
    }

    @Test("an autopilot of a lab that was taken down is not that of the next one of the same name")
    func takenDown() async throws {
        try await up()
        let lock = try files.lock()
        let view = AutopilotView(engine: engine, lab: world.id.lab)
        var driver = try AutopilotDriver(view: view, files: files, options: .init(isOnce: true), lock: lock) { _ in }
        try await engine.down(world.id.lab)
        try await up()
        hypervisor.set(world.machine(1), .off)
        let error = await #expect(throws: KilnError.self) { try await driver.run() }
        #expect(error?.code == .labMissing && error?.message.contains("brought up since") == true)
        #expect(try await look().words == ["start web", "serves web"])
    }

    @Test("a change of 'heal' makes no machine differ from its declaration")
    func differs() async throws {
        try await up()
        var spec = try world.spec()
        spec.drainTimeout = .milliseconds(60)
        spec.heal = HealSpec(atMost: 1)
        let plan = try await engine.plan(world.lab([world.id.server: spec]))
        #expect(plan.servers.map(\.kind) == [.nothing])
    }
}
