import Foundation
import KilnEngine
import KilnModel
import KilnTestSupport
import Synchronization
import Testing

@Suite struct LabReplaceTests {
    @Test("a replacement keeps the volume's data and gives the old machine up")
    func happy() async throws {
        let world = try LabTestWorld()
        try await world.up()
        world.write("a", by: 1)
        let report = try await world.replace("tiny:2")
        #expect(report.outcome == .committed)
        #expect(report.from == Generation(1) && report.to == Generation(2))
        #expect(report.steps.map(\.step).last == .commit)
        world.write("b", by: 2)
        #expect(try world.written() == ["a", "b"])
        #expect(world.world.hypervisor.alive == [world.machine(2)])
        #expect(try await world.world.hypervisor.state(of: world.machine(1)) == .absent)
        #expect(try world.mode(world.world.state.rootOverlay(world.machine(1))) == 0o600)
        #expect(try world.record().lease?.machine == world.machine(2))
        #expect(try await world.engine.status(world.id).generation == Generation(2))
        #expect(world.world.ports.reservations == 0)
        #expect(world.world.hypervisor.violations.isEmpty)
    }

    @Test("a machine that lost its power before COMMIT is ready again before its seed goes", arguments: [true, false])
    func powerLostBeforeCommit(isPaused: Bool) async throws {
        let world = try LabTestWorld()
        try await world.up()
        let (hypervisor, new) = (world.world.hypervisor, world.machine(2))
        let hasHappened = Mutex(false)
        world.world.faults.onCall { [weak fake = world.world] in
            guard case .began(_, _, .commit)? = fake?.progress.last else { return }
            let isFirst = hasHappened.withLock { happened in
                defer { happened = true }
                return !happened
            }
            if isFirst { hypervisor.set(new, isPaused ? .paused : .off) }
        }
        let report = try await world.replace("tiny:2")
        #expect(report.outcome == .committed)
        #expect(world.world.hypervisor.alive == [new])
        #expect(try await hypervisor.state(of: new) == .running)
    }

    @Test("a journal that can't be written once the old machine was stopped is no 'unchanged'")
    func journalFailsAfterStop() async throws {
        let world = try LabTestWorld()
        try await world.up()
        let journal = world.world.state.member(world.id) + "/journal"
        world.world.faults.before("waitUntilOff") {
            try? FileManager.default.moveItem(atPath: journal, toPath: journal + ".away")
            try? FileManager.default.createDirectory(atPath: journal, withIntermediateDirectories: false)
        }
        await #expect { try await world.replace("tiny:2") } throws: { error in
            (error as? KilnError)?.code == .replaceOpen && (error as? KilnError)?.exit == .halted
        }
        world.world.faults.before("waitUntilOff", nil)
        try FileManager.default.removeItem(atPath: journal)
        try FileManager.default.moveItem(atPath: journal + ".away", toPath: journal)
        #expect(try await world.engine.recover(world.id)?.outcome == .aborted)
        #expect(world.world.hypervisor.alive == [world.machine(1)])
    }

    @Test("many replacements merge old layers, and the volume reads the same")
    func merge() async throws {
        let world = try LabTestWorld()
        try await world.up()
        var lines: [String] = []
        for generation in 1...20 {
            lines.append("\(generation)")
            world.write("\(generation)", by: generation)
            #expect(try await world.replace("tiny:2").outcome == .committed)
            #expect(try world.record().layers.count <= 9)
        }
        #expect(try world.written() == lines)
        #expect(world.world.hypervisor.violations.isEmpty)
        let directory = world.world.state.volume(lab: world.id.lab, world.volume)
        let files = try FileManager.default.contentsOfDirectory(atPath: directory)
        #expect(Set(files) == Set(try world.record().layers + ["lock", "volume.json"]))
    }

    @Test(
        "a new machine that never gets ready is reverted: the old serves again, with what was written meanwhile",
        arguments: [GuestBehaviour.Boot.silent, .cloudInitFails, .degraded, .panics, .switchesOff, .pauses]
    )
    func reverted(_ boot: GuestBehaviour.Boot) async throws {
        let world = try LabTestWorld(["1": GuestBehaviour(), "2": GuestBehaviour(boot)])
        try await world.up()
        world.write("a", by: 1)
        let hypervisor = world.world.hypervisor
        let new = world.machine(2)
        world.world.faults.before("definition") { _ = hypervisor.write("too late", by: new) }
        world.world.faults.before("awaitAgent") { _ = hypervisor.write("by the new one", by: new) }
        let report = try await world.replace("tiny:2")
        #expect(report.outcome == .reverted)
        #expect(report.turn?.step == .healthy)
        #expect(hypervisor.alive == [world.machine(1)])
        let isRunning = boot != .switchesOff && boot != .pauses
        #expect(try world.written() == (isRunning ? ["a", "by the new one"] : ["a"]))
        world.write("b", by: 1)
        #expect(try world.record().lease?.machine == world.machine(1))
        #expect(try await world.engine.status(world.id).generation == Generation(1))
        #expect(try await hypervisor.state(of: new) == .absent)
        #expect(try world.mode(world.world.state.rootOverlay(new)) == 0o600)
        let evidence = try #require(report.evidence)
        #expect(world.exists(evidence + "/journal") && world.exists(evidence + "/domain.xml"))
        #expect(hypervisor.violations.isEmpty)
    }

    @Test(
        "a failure while the new machine is made aborts: the old one is not touched and nothing is left",
        arguments: ["makeHostKey", "writeSeed", "createLayer", "giveToMachines", "define"]
    )
    func prepareFails(_ call: String) async throws {
        let world = try LabTestWorld()
        try await world.up()
        world.world.faults.fail(call, with: KilnError(.diskFull, "no space", exit: .aborted))
        let report = try await world.replace("tiny:2")
        #expect(report.outcome == .aborted)
        #expect(report.turn?.code == .diskFull)
        #expect(world.world.hypervisor.starts(world.machine(1)) == 1)
        #expect(world.world.hypervisor.alive == [world.machine(1)])
        #expect(try await world.world.hypervisor.state(of: world.machine(2)) == .absent)
        #expect(!world.exists(world.world.state.rootOverlay(world.machine(2))))
        #expect(!world.exists(world.world.state.seed(world.machine(2))))
        #expect(try world.record().lease?.machine == world.machine(1))
    }

    @Test("an old machine that ignores the request to shut down serves on")
    func ignores() async throws {
        let world = try LabTestWorld(["1": GuestBehaviour(shutdown: .ignores), "2": GuestBehaviour()])
        try await world.up()
        let report = try await world.replace("tiny:2")
        #expect(report.outcome == .aborted)
        #expect(report.turn?.code == .stopTimeout)
        #expect(world.world.hypervisor.alive == [world.machine(1)])
        #expect(world.world.hypervisor.starts(world.machine(1)) == 1)
    }

    @Test("an old machine that shuts down only after the patience has ended is started again")
    func late() async throws {
        let world = try LabTestWorld(["1": GuestBehaviour(shutdown: .late), "2": GuestBehaviour()])
        try await world.up()
        let report = try await world.replace("tiny:2")
        #expect(report.outcome == .aborted)
        #expect(try await world.engine.status(world.id).state == .running)
        #expect(world.world.hypervisor.alive == [world.machine(1)])
        #expect(world.world.hypervisor.starts(world.machine(1)) == 2)
    }

    @Test("a volume that a process outside holds is never taken: aborted, the holder named; the old one serves again")
    func held() async throws {
        let world = try LabTestWorld()
        try await world.up()
        let (holders, layer) = (world.world.holders, try world.activeLayer)
        world.world.faults.before("waitUntilOff") { holders.hold(layer, by: FileHolder(pid: 4711, name: "qemu-nbd")) }
        // The holder lets go once the replacement has turned back.
        world.world.faults.before("state") { [weak fake = world.world] in
            let hasTurned = fake?.progress.contains { if case .turnedBack = $0 { true } else { false } }
            if hasTurned == true { holders.hold(layer, by: nil) }
        }
        let report = try await world.replace("tiny:2")
        #expect(report.outcome == .aborted)
        #expect(report.turn?.code == .volumeHeld)
        #expect(report.turn?.reason.contains("qemu-nbd (pid 4711)") == true)
        #expect(world.world.hypervisor.alive == [world.machine(1)])
        #expect(world.world.hypervisor.starts(world.machine(1)) == 2)
        #expect(try world.record().lease?.machine == world.machine(1))
    }

    @Test("a volume that stays held halts with both machines off; 'recover' brings the old one back once it is free")
    func halted() async throws {
        let world = try LabTestWorld()
        try await world.up()
        world.write("a", by: 1)
        let (holders, layer) = (world.world.holders, try world.activeLayer)
        world.world.faults.before("waitUntilOff") { holders.hold(layer, by: FileHolder(pid: 4711, name: "qemu-nbd")) }
        #expect(try await world.replace("tiny:2").outcome == .halted)
        world.world.faults.before("waitUntilOff", nil)
        #expect(world.world.hypervisor.alive.isEmpty)
        #expect(try await world.engine.status(world.id).isHalted)
        let error = try await #require(throws: KilnError.self) { try await world.up() }
        #expect(error.code == .replaceHalted)
        #expect(error.exit == .halted)
        await #expect(throws: KilnError.self) { try await world.engine.recover(world.id) }
        holders.hold(layer, by: nil)
        #expect(try await world.engine.recoveryPlan(world.id).contains("tried again"))
        #expect(try await world.engine.recover(world.id)?.outcome == .aborted)
        #expect(world.world.hypervisor.alive == [world.machine(1)])
        #expect(try world.written() == ["a"])
        #expect(try await world.replace("tiny:2").outcome == .committed)
    }

    @Test("a missing image changes nothing, not even the journal")
    func missingImage() async throws {
        let world = try LabTestWorld()
        try await world.up()
        let files = try world.files()
        await #expect(throws: KilnError.self) { try await world.replace("tiny:9") }
        #expect(try world.files() == files)
        #expect(try world.engine.history(world.id).operations.count == 1)
    }

    @Test("evidence that can't be kept does not stop the way back")
    func noEvidence() async throws {
        let world = try LabTestWorld(["1": GuestBehaviour(), "2": GuestBehaviour(.cloudInitFails)])
        try await world.up()
        #expect(FileManager.default.createFile(atPath: world.world.state.evidence, contents: Data()))
        let report = try await world.replace("tiny:2")
        #expect(report.outcome == .reverted)
        #expect(report.evidence == nil)
        #expect(world.world.hypervisor.alive == [world.machine(1)])
    }

    @Test("a snapshot that can't be written down leaves the active layer writable for the old machine")
    func snapshotFails() async throws {
        let world = try LabTestWorld()
        try await world.up()
        let record = world.world.state.volume(lab: world.id.lab, world.volume) + "/volume.json"
        let before = try world.record().layers.count
        let isDone = Mutex(false)
        let isSnapshot = world.world.state.volume(lab: world.id.lab, world.volume)
        // A directory in the place of the record lets the rename of the next version fail, as a full disk would.
        world.world.faults.before("giveToMachines") {
            let layers = (try? FileManager.default.contentsOfDirectory(atPath: isSnapshot)) ?? []
            guard layers.filter({ $0.hasSuffix(".qcow2") }).count > before, !isDone.withLock({ $0 }) else { return }
            isDone.withLock { $0 = true }
            try? FileManager.default.moveItem(atPath: record, toPath: record + ".kept")
            try? FileManager.default.createDirectory(atPath: record, withIntermediateDirectories: false)
        }
        let restore: @Sendable () -> Void = {
            guard FileManager.default.fileExists(atPath: record + ".kept") else { return }
            try? FileManager.default.removeItem(atPath: record)
            try? FileManager.default.moveItem(atPath: record + ".kept", toPath: record)
        }
        world.world.faults.before("state", restore)
        let report = try await world.replace("tiny:2")
        #expect(report.outcome == .aborted)
        #expect(world.world.hypervisor.alive == [world.machine(1)])
        #expect(world.world.hypervisor.violations.isEmpty)
    }

    @Test(
        "what was paused while it was replaced goes on, what crashed is given up",
        arguments: [(MachineState.paused, Outcome.committed, 2), (.crashed, .reverted, 1)]
    )
    func pausedWhileInterrupted(_ found: MachineState, _ outcome: Outcome, _ serving: Int) async throws {
        let world = try LabTestWorld()
        try await world.up()
        world.write("a", by: 1)
        world.world.faults.fail("detachSeed", with: KilnError(.hypervisorUnreachable, "gone", exit: .unreachable))
        world.world.faults.fail("awaitAgent", with: KilnError(.hypervisorUnreachable, "gone", exit: .unreachable))
        world.world.faults.fail("read", with: KilnError(.hypervisorUnreachable, "gone", exit: .unreachable))
        await #expect(throws: KilnError.self) { try await world.replace("tiny:2") }
        for call in ["detachSeed", "awaitAgent", "read"] { world.world.faults.fail(call, with: nil) }
        world.world.hypervisor.set(world.machine(2), found)
        #expect(try await world.engine.recover(world.id)?.outcome == outcome)
        #expect(world.world.hypervisor.alive == [world.machine(serving)])
        #expect(try world.written() == ["a"])
    }
}
