import Foundation
import KilnModel
import KilnSystem
import KilnTestSupport
import Synchronization
import Testing

@testable import KilnEngine

/// New generations that are no good, by either strategy.
@Suite struct LabBadImageTests {
    private static let check = "/usr/bin/check"

    /// A server whose image is to be replaced by one whose check ends with a status, nothing meaning never.
    private func world(
        verify status: Int32? = 0,
        old: GuestBehaviour = GuestBehaviour(),
        new: GuestBehaviour = GuestBehaviour(),
        _ change: (inout ServerSpec) throws -> Void = { _ in }
    ) async throws -> LabTestWorld {
        let world = try LabTestWorld(["1": old, "2": new])
        var spec = try world.spec()
        spec.verify = [Check(.exec([Self.check]), every: .milliseconds(1), timeout: .milliseconds(50), failures: 2)]
        try change(&spec)
        let second = world.machine(2)
        world.world.guests.answer(Self.check) { $0 == second ? status : 0 }
        try await world.up(spec)
        world.write("a", by: 1)
        return world
    }

    /// That the old machine serves with its volume, and what the new one was is kept.
    private func expectBack(
        _ world: LabTestWorld,
        _ report: ReplacementReport,
        _ outcome: Outcome = .reverted,
        written: [String]
    ) throws {
        #expect(report.outcome == outcome)
        #expect(report.exit == (outcome == .reverted ? .reverted : .aborted))
        #expect(world.world.hypervisor.alive == [world.machine(1)])
        #expect(try world.written() == written)
        #expect(try world.record().lease?.machine == world.machine(1))
        #expect(try world.mode(world.world.state.rootOverlay(world.machine(2))) == 0o600)
        #expect(!world.exists(world.world.state.seed(world.machine(2))))
        let evidence = try #require(report.evidence)
        for file in ["journal", "domain.xml", "console.log"] { #expect(world.exists("\(evidence)/\(file)"), "\(file)") }
        #expect(world.world.hypervisor.violations.isEmpty)
        #expect(world.world.ports.reservations == 0)
        world.write("on and on", by: 1)
    }

    @Test("a check has to hold as often in a row as it says, and its hint is what a failure says to do")
    func successesAndHint() async throws {
        let world = try await world {
            $0.verify = [Check(.exec([Self.check]), every: .milliseconds(1), successes: 3, failures: 2, hint: "look")]
        }
        let asked = Mutex(0)
        world.world.guests.answer(Self.check) { machine in
            guard machine.generation == Generation(2) else { return 1 }
            // One that fails in between lets the count begin anew.
            return asked.withLock { asked in
                asked += 1
                return asked == 3 ? 1 : 0
            }
        }
        #expect(try await world.replace("tiny:2").outcome == .committed)
        #expect(asked.withLock { $0 } == 6)
        let report = try await world.replace("tiny:1")
        #expect(report.turn?.code == .verifyFailed && report.turn?.hint == "look")
    }

    @Test("a machine that can't mount its volume is taken back", arguments: Strategy.allCases)
    func noMount(_ strategy: Strategy) async throws {
        let world = try await world(new: GuestBehaviour(mounts: false))
        let report = try await world.replace("tiny:2", strategy)
        #expect(report.turn?.code == .volumeNotMounted)
        #expect(report.turn?.reason.contains("/data") == true)
        try expectBack(world, report, written: ["a"])
    }

    @Test("a service that waits for its volume in vain does not keep anybody from telling that it is not mounted")
    func noMountNoService() async throws {
        let service = "/usr/bin/service"
        let world = try await world(new: GuestBehaviour(mounts: false)) {
            $0.ready.append(Check(.exec([service]), every: .milliseconds(5)))
        }
        let new = world.machine(2)
        world.world.guests.answer(service) { $0 == new ? 1 : 0 }
        let report = try await world.replace("tiny:2")
        #expect(report.turn?.code == .volumeNotMounted)
        try expectBack(world, report, written: ["a"])
    }

    @Test("a crash by a fault of the emulation is not blamed on the image; with one processor there is no such fault")
    func emulation() async throws {
        for processors in [1, 2] {
            let world = try await world(new: GuestBehaviour(.emulationFails)) { $0.processors = processors }
            let report = try await world.replace("tiny:2")
            #expect(report.turn?.code == .readyCrashed && report.turn?.reason.contains("int3") == true)
            #expect(report.turn?.hint?.contains("processors: 1") == (processors > 1))
            #expect(report.turn?.reason.contains("booted twice") == true)
            #expect(world.world.hypervisor.boots(world.machine(2)) == 2)
            try expectBack(world, report, written: ["a"])
        }
    }

    @Test(
        "a machine that does not pass 'verify' is taken back with the data that it wrote",
        arguments: Strategy.allCases
    )
    func notVerified(_ strategy: Strategy) async throws {
        let world = try await world(verify: 1)
        let (hypervisor, new) = (world.world.hypervisor, world.machine(2))
        world.world.guests.answer(Self.check) { machine in
            guard machine == new else { return 0 }
            _ = hypervisor.write("checked", by: new)
            return 1
        }
        let report = try await world.replace("tiny:2", strategy)
        #expect(report.turn?.step == .verify && report.turn?.code == .verifyFailed)
        #expect(report.turn?.reason.contains(Self.check) == true)
        try expectBack(world, report, written: ["a", "checked", "checked"])
    }

    @Test("a 'verify' that never answers counts as failed")
    func verifyHangs() async throws {
        let world = try await world(verify: nil)
        let report = try await world.replace("tiny:2")
        #expect(report.turn?.code == .verifyFailed)
        try expectBack(world, report, written: ["a"])
    }

    @Test("a machine that is ready, but not for long, is taken back", arguments: Strategy.allCases)
    func readinessLost(_ strategy: Strategy) async throws {
        let world = try await world { spec in
            spec.minHealthy = .seconds(1)
            spec.ready.append(Check(.exec(["/usr/bin/fine"]), failures: 1))
        }
        let (guests, new) = (world.world.guests, world.machine(2))
        guests.answer("/usr/bin/fine") { machine in
            let own = guests.commands(of: "/usr/bin/fine").count { $0.machine == new }
            return machine == new && own > 1 ? 3 : 0
        }
        let report = try await world.replace("tiny:2", strategy)
        #expect(
            report.turn?.step == .healthy && report.turn?.code == .readyLost,
            "\(String(describing: report.turn))"
        )
        #expect(report.turn?.reason.contains("min-healthy of 1 s") == true)
        try expectBack(world, report, written: ["a"])
    }

    @Test("a health deadline goes on while no kiln runs: a machine that is ready by then is kept, else taken back")
    func deadlineOutlivesProcess() async throws {
        for (status, outcome, seconds) in [(0, Outcome.committed, 300), (1, .reverted, 30)] as [(Int32, Outcome, Int)] {
            let world = try await world { spec in
                spec.readyTimeout = .seconds(seconds)
                spec.ready.append(Check(.exec(["/usr/bin/fine"])))
            }
            let new = world.machine(2)
            world.world.guests.answer("/usr/bin/fine") { $0 == new ? status : 0 }
            world.world.faults.fail("awaitAgent", with: KilnError(.hypervisorUnreachable, "", exit: .unreachable))
            await #expect(throws: KilnError.self) { try await world.replace("tiny:2") }
            world.world.faults.fail("awaitAgent", with: nil)
            let mark = world.world.state.generation(new) + "/health.start"
            let began = try #require(try DurableFile.readJSON(HostUptime.self, from: mark))
            let longAgo = HostUptime(bootID: began.bootID, seconds: began.seconds - Double(seconds))
            try DurableFile.writeJSON(longAgo, to: mark)
            let start = ContinuousClock.now
            let report = try #require(try await world.engine.recover(world.id))
            #expect(report.outcome == outcome)
            #expect(outcome == .committed || report.turn?.code == .readyTimeout)
            #expect(ContinuousClock.now - start < .seconds(seconds - 5), "a new deadline was given")
        }
    }

    @Test("a moment of another boot, or one that lies ahead, is no beginning of a deadline")
    func uptime() {
        let now = HostUptime.now
        #expect(!now.bootID.isEmpty)
        let (earlier, later) = (now.seconds - 60, now.seconds + 60)
        #expect(now.since(HostUptime(bootID: now.bootID, seconds: earlier)) == .seconds(60))
        #expect(now.since(HostUptime(bootID: "another", seconds: earlier)) == nil)
        #expect(now.since(HostUptime(bootID: now.bootID, seconds: later)) == nil)
    }

    @Test("an 'after-attach' hook that fails or hangs takes the machine back", arguments: [9, nil] as [Int32?])
    func afterAttach(_ status: Int32?) async throws {
        for strategy in Strategy.allCases {
            let world = try await world { $0.afterAttach = [Hook(["/usr/bin/hook"], deadline: .seconds(1))] }
            let new = world.machine(2)
            world.world.guests.answer("/usr/bin/hook") { $0 == new ? status : 0 }
            let report = try await world.replace("tiny:2", strategy)
            #expect(report.turn?.code == .hookFailed)
            #expect(report.turn?.reason.contains("after-attach") == true)
            try expectBack(world, report, written: ["a"])
        }
    }

    @Test("warm-first: a machine that crashes before it has the volume is removed; its root and evidence are kept")
    func neverWarm() async throws {
        let world = try await world(new: GuestBehaviour(.panics))
        let report = try await world.replace("tiny:2", .warmFirst)
        #expect(report.turn?.step == .warm && report.turn?.code == .readyCrashed)
        #expect(report.turn?.reason.contains("Kernel panic") == true)
        try expectBack(world, report, .aborted, written: ["a"])
        #expect(world.world.hypervisor.starts(world.machine(1)) == 1)
        #expect(try await !world.engine.collectGarbage(dryRun: true).contains { $0.hasSuffix("root.qcow2") })
    }

    // MARK: - Damaged data

    @Test("data that 'verify' calls damaged halts with both machines off; the message has a command for each way out")
    func damaged() async throws {
        for strategy in Strategy.allCases {
            let world = try await world(verify: 65)
            let before = try world.record().layers
            let report = try await world.replace("tiny:2", strategy)
            #expect(report.outcome == .halted && report.exit == .halted)
            #expect(report.turn?.code == .verifyDataDamaged && report.turn?.direction == .halt)
            #expect(world.world.hypervisor.alive.isEmpty)
            #expect(before.allSatisfy(try world.record().layers.contains))
            for generation in 1...2 {
                #expect(world.exists(world.world.state.rootOverlay(world.machine(generation))))
            }
            let error = try await #require(throws: KilnError.self) { try await world.replace("tiny:2") }
            #expect(error.code == .replaceHalted && error.exit == .halted)
            for command in [
                "kiln recover lab/web --data keep", "kiln recover lab/web --data restore",
                "kiln volume check lab/data", "kiln down lab",
            ] { #expect(error.hint?.contains("'\(command)'") == true, "\(command): \(error.hint ?? "")") }
            #expect(world.world.hypervisor.alive.isEmpty)
        }
    }

    @Test(
        "a volume that the new machine formatted is no damage, even if 'verify' says so: it goes back to what was sealed"
    )
    func formattedAndDamaged() async throws {
        for strategy in Strategy.allCases {
            let world = try await world(verify: 65, new: GuestBehaviour(formats: true))
            let report = try await world.replace("tiny:2", strategy)
            #expect(report.turn?.code == .volumeReformatted && report.turn?.direction == .revert)
            #expect(report.turn?.step == .verify && report.discarded.count == 1)
            try expectBack(world, report, written: ["a"])
        }
    }

    @Test("damage stays damage where nothing tells whether the volume was formatted")
    func damagedUnseen() async throws {
        let world = try await world(verify: 65)
        let broken = KilnError(.toolFailed, "qemu-io ended with exit status 1")
        world.world.faults.before("began verify") { [world] in world.world.faults.fail("mark", with: broken) }
        let report = try await world.replace("tiny:2")
        #expect(report.outcome == .halted && report.turn?.code == .verifyDataDamaged)
    }

    @Test("after a halt a person decides: the data is kept, or put back with today's set aside")
    func decided() async throws {
        for (strategy, data) in zip(Strategy.allCases, [DataOnRevert.keep, .restore]) {
            let world = try await world(verify: 65)
            let (hypervisor, new) = (world.world.hypervisor, world.machine(2))
            world.world.guests.answer(Self.check) { machine in
                if machine == new { _ = hypervisor.write("damage done", by: new) }
                return machine == new ? 65 : 0
            }
            #expect(try await world.replace("tiny:2", strategy).outcome == .halted)
            #expect(try await world.engine.checkVolume(lab: world.id.lab, world.volume).finding.isSound)
            let report = try #require(try await world.engine.recover(world.id, data: data))
            try expectBack(world, report, written: data == .keep ? ["a", "damage done"] : ["a"])
            let kept = try world.engine.volumes.retained()
            #expect(report.discarded == kept)
            #expect(kept.count == (data == .restore ? 1 : 0))
            for name in kept {
                let lost = try world.engine.volumes.undelete(name, as: (world.id.lab, try Name("lost")))
                #expect(try world.world.written(lab: lost.lab, volume: lost.name) == ["a", "damage done"])
            }
        }
    }

    @Test("where the data is to be restored, what the new machine wrote is gone from the volume and in a retained one")
    func restored() async throws {
        for strategy in Strategy.allCases {
            let world = try await world(verify: 65)
            let (hypervisor, new) = (world.world.hypervisor, world.machine(2))
            world.world.guests.answer(Self.check) { _ in hypervisor.write("new", by: new) ? 65 : 0 }
            let options = ReplaceOptions(
                image: try ImageReference("tiny:2"),
                strategy: strategy,
                dataOnRevert: .restore
            )
            let report = try await world.engine.replace(world.id, options)
            try expectBack(world, report, written: ["a"])
            let name = try #require(report.discarded.first)
            let lost = try world.engine.volumes.undelete(name, as: (world.id.lab, try Name("lost")))
            #expect(try world.world.written(lab: lost.lab, volume: lost.name) == ["a", "new"])
        }
    }

    @Test("a machine whose process is gone is told with what that said last, and the end of its log is kept")
    func processEnded() async throws {
        let world = try await world(new: GuestBehaviour(.switchesOff))
        let (log, limit) = (world.world.root + "/qemu.log", 256 << 10)
        try Data(repeating: 0x61, count: limit + 1).write(to: URL(fileURLWithPath: log))
        let words = "qemu-system-x86_64: terminating on signal 9"
        world.world.hypervisor.setProcessLog(log, lastWords: words)
        let report = try await world.replace("tiny:2")
        #expect(report.turn?.code == .readyMachineDied)
        #expect(report.turn?.reason.hasSuffix("but its machine is off; QEMU said last: \(words)") == true, "\(report)")
        let kept = try #require(report.evidence) + "/qemu.log"
        #expect(FileManager.default.contents(atPath: kept)?.count == limit)
    }

    @Test("a machine that is off has died, also where who asked its guest hears of it first")
    func offByGuest() async throws {
        let world = try await world()
        let (faults, hypervisor, new) = (world.world.faults, world.world.hypervisor, world.machine(2))
        hypervisor.setProcessLog(world.world.root + "/none", lastWords: "killed")
        faults.fail("awaitAgent", with: KilnError(.guestMachineOff, "off", exit: .blocked))
        // The old machine, which is started after the new one, gets ready again.
        faults.before("start") { if hypervisor.boots(new) > 0 { faults.fail("awaitAgent", with: nil) } }
        let report = try await world.replace("tiny:2")
        try expectBack(world, report, written: ["a"])
        #expect(report.turn?.code == .readyMachineDied && report.turn?.reason.hasSuffix("killed") == true, "\(report)")
    }

    @Test("a machine that is off has died, also where its guest is taken for one without an agent at that moment")
    func offAndWithoutAgent() async throws {
        let world = try await world(new: GuestBehaviour(.switchesOff))
        let (faults, hypervisor, new) = (world.world.faults, world.world.hypervisor, world.machine(2))
        hypervisor.setProcessLog(world.world.root + "/none", lastWords: "killed")
        faults.fail("awaitAgent", with: KilnError(.guestNoAgent, "no agent", exit: .aborted))
        // The old machine, which is started after the new one, gets ready again.
        faults.before("start") { if hypervisor.boots(new) > 0 { faults.fail("awaitAgent", with: nil) } }
        let report = try await world.replace("tiny:2")
        #expect(report.turn?.code == .readyMachineDied && report.turn?.reason.hasSuffix("killed") == true, "\(report)")
    }

    @Test("evidence holds no file that a link leads to in place of a process's log")
    func linkedLog() async throws {
        let world = try await world(new: GuestBehaviour(.switchesOff))
        let (secret, log) = (world.world.root + "/secret", world.world.root + "/qemu.log")
        try Data("secret".utf8).write(to: URL(fileURLWithPath: secret))
        try FileManager.default.createSymbolicLink(atPath: log, withDestinationPath: secret)
        world.world.hypervisor.setProcessLog(log, lastWords: nil)
        let report = try await world.replace("tiny:2")
        #expect(report.turn?.reason.hasSuffix("but its machine is off") == true, "\(report)")
        #expect(!world.exists(try #require(report.evidence) + "/qemu.log"))
    }

    @Test("an interrupted replacement heeds what a person says of the data when it is taken back")
    func decidedWhileOpen() async throws {
        let world = try await world(new: GuestBehaviour(.switchesOff))
        world.world.faults.fail("awaitAgent", with: KilnError(.hypervisorUnreachable, "gone", exit: .unreachable))
        await #expect(throws: KilnError.self) { try await world.replace("tiny:2") }
        world.world.faults.fail("awaitAgent", with: nil)
        let report = try #require(try await world.engine.recover(world.id, data: .restore))
        #expect(report.outcome == .reverted && report.discarded.count == 1)
    }

    @Test("after a halt the data can be put back though the old machine runs, which did not become ready with it")
    func oldNeverReady() async throws {
        let world = try await world(verify: 1)
        let (hypervisor, old) = (world.world.hypervisor, world.machine(1))
        let image = world.world.root + "/images/tiny-1.qcow2"
        hypervisor.setBehaviour(GuestBehaviour(.cloudInitFails), ofImage: image)
        #expect(try await world.replace("tiny:2").outcome == .halted)
        #expect(hypervisor.alive == [old])
        hypervisor.setBehaviour(GuestBehaviour(), ofImage: image)
        let report = try #require(try await world.engine.recover(world.id, data: .restore))
        #expect(report.outcome == .reverted && report.discarded.count == 1)
        #expect(world.world.hypervisor.alive == [old])
    }

    @Test("a halt for want of the old machine can be left by a roll forward, which does not need it")
    func rollForward() async throws {
        let world = try await world(verify: 1)
        let hypervisor = world.world.hypervisor
        hypervisor.setBehaviour(GuestBehaviour(.cloudInitFails), ofImage: world.world.root + "/images/tiny-1.qcow2")
        try world.world.images.add("3")
        #expect(try await world.replace("tiny:2").outcome == .halted)
        let refused = try await #require(throws: KilnError.self) { try await world.engine.stop(world.id) }
        #expect(refused.code == .replaceHalted && refused.hint?.contains("kiln replace lab/web") == true)
        let missing = try await #require(throws: KilnError.self) { try await world.replace("tiny:missing") }
        #expect(missing.code == .imageMissing && missing.exit == .halted)
        #expect(try world.engine.history(world.id).halted != nil)
        #expect(try await world.replace("tiny:3").outcome == .committed)
        #expect(hypervisor.alive == [world.machine(3)])
        #expect(try world.written() == ["a"])
        #expect(try world.record().lease?.machine == world.machine(3))
        let outcomes = try world.engine.history(world.id).operations.map(\.replacement.outcome)
        #expect(outcomes == [.committed, .halted, .committed])
        #expect(hypervisor.violations.isEmpty)
    }

    @Test("a roll forward from a halt that is given up before it began halts again: nobody knows the old machine")
    func rollForwardGivenUp() async throws {
        let world = try await world(verify: 1)
        let old = world.world.root + "/images/tiny-1.qcow2"
        world.world.hypervisor.setBehaviour(GuestBehaviour(.cloudInitFails), ofImage: old)
        #expect(try await world.replace("tiny:2").outcome == .halted)
        world.world.faults.fail("writeSeed", with: KilnError(.diskFull, "full", exit: .aborted))
        let report = try await world.replace("tiny:2")
        #expect(report.outcome == .halted && report.turn?.step == .prepare, "\(report)")
        world.world.faults.fail("writeSeed", with: nil)
        let refused = try await #require(throws: KilnError.self) { try await world.engine.stop(world.id) }
        #expect(refused.code == .replaceHalted && refused.hint?.contains("kiln replace lab/web") == true)
        // The old machine is brought back where it is well again by then.
        world.world.hypervisor.setBehaviour(GuestBehaviour(), ofImage: old)
        #expect(try await world.engine.recover(world.id)?.outcome == .aborted)
        #expect(world.world.hypervisor.alive == [world.machine(1)])
        #expect(try world.written() == ["a"])
    }

    @Test("what SNAPSHOT sealed outlives a clone that is made while a person looks for what went wrong")
    func sealOutlivesClone() async throws {
        let world = try await world()
        // The layers of so many replacements are about to be merged.
        for number in 2...7 { #expect(try await world.replace("tiny:\(number % 2 + 1)").outcome == .committed) }
        world.world.guests.answer(Self.check) { $0.generation == Generation(8) ? 65 : 0 }
        world.write("last of the old", by: 7)
        #expect(try await world.replace("tiny:1").outcome == .halted)
        _ = try await world.engine.cloneVolume(lab: world.id.lab, world.volume, as: try Name("look"))
        let report = try #require(try await world.engine.recover(world.id, data: .restore))
        #expect(report.outcome == .reverted && report.discarded.count == 1, "\(report)")
        #expect(try world.written() == ["a", "last of the old"])
    }

    // MARK: - Hooks of the old machine

    @Test("'drain' hooks run in the old machine in their order, before it is asked to stop")
    func drainOrder() async throws {
        for strategy in Strategy.allCases {
            let world = try await world { $0.drain = [Hook(["/drain/one"]), Hook(["/drain/two", "x"])] }
            let guests = world.world.guests
            world.world.faults.before("requestShutdown") { #expect(guests.commands(of: "/drain/").count == 2) }
            #expect(try await world.replace("tiny:2", strategy).outcome == .committed)
            #expect(guests.commands(of: "/drain/").map(\.line) == ["/drain/one", "/drain/two x"])
            #expect(guests.commands(of: "/drain/").allSatisfy { $0.machine == world.machine(1) })
        }
    }

    @Test(
        "a 'drain' hook that fails or hangs aborts, and the old machine serves again",
        arguments: [1, nil] as [Int32?]
    )
    func drainFails(_ status: Int32?) async throws {
        for strategy in Strategy.allCases {
            let world = try await world { $0.drain = [Hook(["/drain/one"]), Hook(["/drain/two"])] }
            world.world.guests.answer("/drain/one") { _ in status }
            let report = try await world.replace("tiny:2", strategy)
            #expect(report.outcome == .aborted && report.exit == .aborted && report.turn?.code == .hookFailed)
            #expect(report.turn?.reason.contains("drain hook '/drain/one'") == true)
            #expect(world.world.guests.commands(of: "/drain/two").isEmpty)
            #expect(world.world.hypervisor.alive == [world.machine(1)])
            #expect(world.world.hypervisor.starts(world.machine(1)) == 2, "its service had been drained")
        }
    }

    @Test("an old machine whose agent is silent is replaced without being drained", arguments: Strategy.allCases)
    func silentOld(_ strategy: Strategy) async throws {
        let world = try await world { $0.drain = [Hook(["/drain/one"])] }
        world.world.hypervisor.setBehaviour(GuestBehaviour(.silent), ofImage: world.world.root + "/images/tiny-1.qcow2")
        #expect(try await world.replace("tiny:2", strategy).outcome == .committed)
        #expect(world.world.guests.commands(of: "/drain/").isEmpty)
    }

    @Test("an old machine whose QEMU is gone, or which crashed, is replaced", arguments: [MachineState.off, .crashed])
    func deadOld(_ state: MachineState) async throws {
        for strategy in Strategy.allCases {
            let world = try await world { $0.drain = [Hook(["/drain/one"])] }
            world.world.hypervisor.set(world.machine(1), state)
            let report = try await world.replace("tiny:2", strategy)
            #expect(report.outcome == .committed, "\(strategy): \(String(describing: report.turn))")
            #expect(world.world.hypervisor.alive == [world.machine(2)])
            #expect(try world.written() == ["a"])
        }
    }

    // MARK: - An old machine that does not stop

    @Test("--force-stop: a machine that ignores the request is switched off, and its volume checked before it moves")
    func forced() async throws {
        for strategy in Strategy.allCases {
            let world = try await world(old: GuestBehaviour(shutdown: .ignores))
            let plain = try await world.replace("tiny:2", strategy)
            #expect(plain.outcome == .aborted && plain.turn?.code == .stopTimeout)
            #expect(world.world.hypervisor.starts(world.machine(1)) == 1)
            let forced = try await world.engine.replace(world.id, options(strategy))
            #expect(forced.outcome == .committed)
            #expect(try world.record().isUnclean == false)
            #expect(try world.written() == ["a"])
        }
    }

    @Test("--force-stop: where the check finds damage nothing starts; repaired, the old machine serves again")
    func forcedOnDamage() async throws {
        for strategy in Strategy.allCases {
            let world = try await world(old: GuestBehaviour(shutdown: .ignores))
            world.write("damage", by: 1)
            let report = try await world.engine.replace(world.id, options(strategy))
            #expect(report.outcome == .halted && report.turn?.code == .volumeDamaged)
            #expect(report.turn?.hint?.contains("kiln volume check lab/data --repair") == true)
            #expect(world.world.hypervisor.alive.isEmpty, "\(world.world.hypervisor.alive)")
            await #expect(throws: KilnError.self) { try await world.engine.recover(world.id) }
            #expect(world.world.hypervisor.alive.isEmpty)
            _ = try await world.engine.checkVolume(lab: world.id.lab, world.volume, repair: true)
            #expect(try await world.engine.recover(world.id)?.outcome == .aborted)
            #expect(world.world.hypervisor.alive == [world.machine(1)])
            #expect(try world.written() == ["a", "damage", "repair"])
        }
    }

    private func options(_ strategy: Strategy) throws -> ReplaceOptions {
        ReplaceOptions(image: try ImageReference("tiny:2"), strategy: strategy, forceStop: true)
    }
}
