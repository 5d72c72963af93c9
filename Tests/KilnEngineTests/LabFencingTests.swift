import Foundation
import KilnModel
import KilnTestSupport
import Synchronization
import Testing

@testable import KilnEngine

/// What stands between a volume and a second writer, and between a command and what others do meanwhile.
@Suite struct LabFencingTests {
    private static let holder = FileHolder(pid: 4711, name: "qemu-nbd")

    @Test("a volume that somebody else has open is found out in PLAN: nothing is touched, and the holder is named")
    func heldAtPlan() async throws {
        for strategy in Strategy.allCases {
            let world = try LabTestWorld()
            try await world.up()
            let (holders, layer) = (world.world.holders, try world.activeLayer)
            holders.hold(layer, by: Self.holder)
            let files = try world.files()
            let error = try await #require(throws: KilnError.self) { try await world.replace("tiny:2", strategy) }
            #expect(error.code == .volumeHeld && error.exit == .blocked)
            #expect(error.message.contains("qemu-nbd (pid 4711)"))
            #expect(try world.files() == files)
            #expect(world.world.hypervisor.starts(world.machine(1)) == 1)
            holders.hold(layer, by: nil)
            #expect(try await world.replace("tiny:2", strategy).outcome == .committed)
        }
    }

    @Test("a volume that is taken between the handover and the new machine's turn halts, and the holder is named")
    func heldAfterHandover() async throws {
        for strategy in Strategy.allCases {
            let world = try LabTestWorld()
            try await world.up()
            world.write("a", by: 1)
            let fakes = world.world
            let volume = fakes.state.volume(lab: world.id.lab, world.volume)
            let taken = Mutex("")
            fakes.faults.onCall { [weak fake = fakes] in
                guard let fake, taken.withLock({ $0.isEmpty }), fake.progress.contains(where: Self.isHandedOver),
                    let record = fake.engine.volumes.readableList().volumes.first, let layer = record.layers.last
                else { return }
                taken.withLock { $0 = "\(volume)/\(layer)" }
                fake.holders.hold("\(volume)/\(layer)", by: Self.holder)
            }
            let report = try await world.replace("tiny:2", strategy)
            #expect(report.outcome == .halted && report.exit == .halted)
            #expect(report.turn?.code == .volumeHeld && report.turn?.reason.contains("pid 4711") == true)
            #expect(fakes.hypervisor.alive.isEmpty)
            #expect(fakes.hypervisor.violations.isEmpty)
            await #expect(throws: KilnError.self) { try await world.engine.recover(world.id) }
            #expect(fakes.hypervisor.alive.isEmpty)
            fakes.holders.hold(taken.withLock { $0 }, by: nil)
            #expect(try await world.engine.recover(world.id)?.outcome == .reverted)
            #expect(fakes.hypervisor.alive == [world.machine(1)])
            #expect(try world.written() == ["a"])
        }
    }

    private static func isHandedOver(_ progress: KilnEngine.Progress) -> Bool {
        if case .finished(_, Generation(2), .handover, _) = progress { true } else { false }
    }

    @Test("warm-first: where the old machine can't have its volume back, the new one is off too")
    func warmHalts() async throws {
        let world = try LabTestWorld()
        try await world.up()
        let (holders, layer) = (world.world.holders, try world.activeLayer)
        world.world.faults.before("waitUntilOff") { holders.hold(layer, by: Self.holder) }
        let report = try await world.replace("tiny:2", .warmFirst)
        #expect(report.outcome == .halted && report.reason?.contains("qemu-nbd (pid 4711)") == true)
        #expect(world.world.hypervisor.alive.isEmpty)
        world.world.faults.before("waitUntilOff", nil)
        holders.hold(layer, by: nil)
        #expect(try await world.engine.recover(world.id)?.outcome == .aborted)
        #expect(world.world.hypervisor.alive == [world.machine(1)])
    }

    @Test(
        "a volume's file that is gone, a link, or not what it was is found out in PLAN; the old machine is not touched",
        arguments: ["gone", "link", "damaged"]
    )
    func damagedAtPlan(_ how: String) async throws {
        let world = try LabTestWorld()
        try await world.up()
        let layer = try world.activeLayer
        try Self.spoil(layer, how)
        let error = try await #require(throws: KilnError.self) { try await world.replace("tiny:2") }
        #expect(error.code == .volumeDamaged && error.exit == .aborted)
        #expect(world.world.hypervisor.starts(world.machine(1)) == 1)
        #expect(world.world.hypervisor.alive == [world.machine(1)])
        #expect(try world.engine.history(world.id).operations.count == 1)
        try Self.mend(layer)
        #expect(try await world.replace("tiny:2").outcome == .committed)
    }

    @Test(
        "a volume's file that is spoilt once the old machine is off starts nobody, until it is put back",
        arguments: ["gone", "link", "damaged"]
    )
    func damagedBetween(_ how: String) async throws {
        for strategy in Strategy.allCases {
            let world = try LabTestWorld()
            try await world.up()
            world.write("a", by: 1)
            let layer = try world.activeLayer
            world.world.faults.before("waitUntilOff") { try? Self.spoil(layer, how) }
            let report = try await world.replace("tiny:2", strategy)
            #expect(report.outcome == .halted && report.turn?.code == .volumeDamaged)
            #expect(report.reason?.contains("volume lab/data") == true)
            #expect(world.world.hypervisor.alive.isEmpty)
            world.world.faults.before("waitUntilOff", nil)
            try Self.mend(layer)
            #expect(try await world.engine.recover(world.id)?.outcome == .aborted)
            #expect(world.world.hypervisor.alive == [world.machine(1)])
            #expect(try world.written() == ["a"])
        }
    }

    @Test("warm-first: a volume's file that is spoilt while the new machine boots is found out with the old one on")
    func damagedWhileWarming() async throws {
        let world = try LabTestWorld()
        try await world.up()
        let layer = try world.activeLayer
        world.world.faults.before("awaitAgent") { try? Self.spoil(layer, "gone") }
        let report = try await world.replace("tiny:2", .warmFirst)
        #expect(report.outcome == .aborted && report.turn?.code == .volumeDamaged, "\(report)")
        #expect(world.world.hypervisor.alive == [world.machine(1)])
        #expect(world.world.hypervisor.starts(world.machine(1)) == 1)
    }

    @Test("a machine is not started with a volume that is not lent to it")
    func notLent() async throws {
        let world = try LabTestWorld()
        try await world.up()
        try await world.engine.stop(world.id)
        try world.engine.volumes.release(lab: world.id.lab, world.volume, from: world.machine(1))
        let error = try await #require(throws: KilnError.self) { try await world.engine.start(world.id) }
        #expect(error.code == .volumeLeased && error.message.contains("lent to nobody"))
        #expect(world.world.hypervisor.alive.isEmpty)
    }

    @Test("a lease tells that the journal has lost its end, where nothing else does")
    func leaseOfLostGeneration() async throws {
        let world = try LabTestWorld()
        try await world.up()
        let path = world.world.state.member(world.id) + "/journal"
        let first = try Data(contentsOf: URL(fileURLWithPath: path))
        #expect(try await world.replace("tiny:2").outcome == .committed)
        try await world.engine.stop(world.id)
        try first.write(to: URL(fileURLWithPath: path))
        try FileManager.default.removeItem(atPath: world.world.state.generation(world.machine(2)))
        let error = try await #require(throws: KilnError.self) { try await world.engine.start(world.id) }
        #expect(error.code == .journalShort && error.exit == .halted)
        #expect(world.world.hypervisor.alive.isEmpty)
    }

    private static func spoil(_ layer: String, _ how: String) throws {
        guard !FileManager.default.fileExists(atPath: layer + ".kept") else { return }
        try FileManager.default.moveItem(atPath: layer, toPath: layer + ".kept")
        switch how {
        case "link": try FileManager.default.createSymbolicLink(atPath: layer, withDestinationPath: layer + ".kept")
        case "damaged": try Data("over /etc/shadow\t1\n".utf8).write(to: URL(fileURLWithPath: layer))
        default: break
        }
    }

    private static func mend(_ layer: String) throws {
        try? FileManager.default.removeItem(atPath: layer)
        try FileManager.default.moveItem(atPath: layer + ".kept", toPath: layer)
    }

    // MARK: - Rehearsals

    @Test(
        "a rehearsal whose command was killed is gone after the next command, whichever that is",
        arguments: ["recover", "recover-rehearsal", "up", "stop", "replace", "gc", "down"]
    )
    func killedRehearsal(_ next: String) async throws {
        let world = try LabTestWorld()
        try await world.up()
        let rehearsal = MemberID(lab: world.id.lab, server: try Name("web-rehearsal"))
        try await killRehearsal(world)
        #expect(try world.engine.members().contains(rehearsal))
        switch next {
        case "recover": _ = try await world.engine.recover(world.id)
        case "recover-rehearsal": _ = try await world.engine.recover(rehearsal)
        case "up": try await world.up()
        case "stop": try await world.engine.stop(world.id)
        case "replace": #expect(try await world.replace("tiny:2").outcome == .committed)
        case "gc": _ = try await world.engine.collectGarbage()
        default: try await world.engine.down(world.id.lab)
        }
        #expect(try world.engine.members() == (next == "down" ? [] : [world.id]))
        #expect(world.engine.volumes.names(of: world.id.lab) == [world.volume])
        #expect(try world.engine.volumes.retained().isEmpty)
        #expect(try await world.world.hypervisor.machines().keys.filter { $0.member == rehearsal } == [])
        #expect(world.world.hypervisor.violations.isEmpty)
        #expect(try !world.files().contains { $0.contains("rehearsal") })
    }

    @Test("what a rehearsal left that was killed under an earlier kiln, which marked it otherwise, is collected too")
    func earlierMark() async throws {
        let world = try LabTestWorld()
        try await world.up()
        try await killRehearsal(world)
        let folder = world.engine.state.member(MemberID(lab: world.id.lab, server: try Name("web-rehearsal")))
        try FileManager.default.moveItem(atPath: folder + "/rehearsal", toPath: folder + "/canary")
        _ = try await world.engine.collectGarbage()
        #expect(try world.engine.members() == [world.id])
        #expect(world.engine.volumes.names(of: world.id.lab) == [world.volume])
        #expect(try !world.files().contains { $0.contains("rehearsal") })
    }

    private func killRehearsal(_ world: LabTestWorld) async throws {
        let options = ReplaceOptions(image: try ImageReference("tiny:2"), rehearsesFirst: true)
        let faults = world.world.faults
        faults.before("define") { faults.arm(.crashAfter, at: 3) }
        await #expect(throws: (any Error).self) { try await world.engine.replace(world.id, options) }
        faults.before("define", nil)
        try #require(faults.isCrashed)
        faults.disarm()
        try world.world.reviveAfterCrash()
    }

    @Test("gc leaves the rehearsal of a command that runs alone, and does not fail for it")
    func collectBesideRehearsal() async throws {
        let world = try LabTestWorld()
        try await world.up()
        let isCollected = Mutex(false)
        world.world.guests.answer("/usr/bin/check") { _ in isCollected.withLock { $0 } ? 0 : 1 }
        var spec = try world.spec()
        spec.verify = [Check(.exec(["/usr/bin/check"]), every: .milliseconds(1), failures: 10000)]
        try await world.up(spec)
        let options = ReplaceOptions(image: try ImageReference("tiny:2"), rehearsesFirst: true)
        async let report = world.engine.replace(world.id, options)
        let deadline = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < deadline, world.world.guests.commands(of: "/usr/bin/check").isEmpty {
            try await Task.sleep(for: .milliseconds(2))
        }
        #expect(try await world.engine.collectGarbage() == [])
        isCollected.withLock { $0 = true }
        #expect(try await report.outcome == .committed)
    }

    @Test("gc does not take the sockets of a machine that was made while it looked")
    func socketsOfNewMachine() async throws {
        let world = try LabTestWorld()
        try await world.up()
        #expect(try await world.replace("tiny:2").outcome == .committed)
        let (state, hypervisor, machine) = (world.world.state, world.world.hypervisor, world.machine(2))
        let spec = try #require(hypervisor.spec(machine))
        let socket = state.agentSocket(machine)
        try FileManager.default.createDirectory(atPath: state.sockets, withIntermediateDirectories: true)
        hypervisor.redefine(machine, nil)
        // Another command makes it when gc has seen the machines, and looks at what is left of past generations.
        world.world.faults.before("state") {
            hypervisor.redefine(machine, spec)
            _ = FileManager.default.createFile(atPath: socket, contents: nil)
        }
        #expect(try await world.engine.collectGarbage() == [])
        #expect(world.exists(socket))
    }

    // MARK: - The clock

    @Test("a clock that jumped by ten years changes no decision", arguments: [-10.0, 10.0])
    func clock(_ years: Double) async throws {
        for call in stride(from: 4, through: 44, by: 4) {
            let (straight, jumped) = (try await interrupted(at: call), try await interrupted(at: call))
            try Self.shift(jumped.world.state.member(jumped.id) + "/journal", by: years * 365 * 86400)
            #expect(try await jumped.engine.recoveryPlan(jumped.id) == straight.engine.recoveryPlan(straight.id))
            let expected = try await straight.engine.recover(straight.id)?.outcome
            #expect(try await jumped.engine.recover(jumped.id)?.outcome == expected, "call \(call)")
            #expect(straight.world.hypervisor.alive == jumped.world.hypervisor.alive)
            #expect(try straight.record().layers.count == jumped.record().layers.count)
            #expect(try await jumped.replace("tiny:2").outcome == .committed)
        }
    }

    /// A world whose replacement died in one of its calls.
    private func interrupted(at call: Int) async throws -> LabTestWorld {
        let world = try LabTestWorld()
        try await world.up()
        world.world.faults.arm(.crashBefore, at: call)
        _ = try? await world.replace("tiny:2")
        try #require(world.world.faults.isCrashed, "call \(call)")
        world.world.faults.disarm()
        try world.world.reviveAfterCrash()
        return world
    }

    private static func shift(_ path: String, by seconds: Double) throws {
        var journal = JournalCodec.header
        for record in try ServerJournal(path: path).records() {
            let time = record.time.addingTimeInterval(seconds)
            journal += try JournalCodec.encode(JournalRecord(time: time, pid: record.pid, event: record.event))
        }
        try journal.write(to: URL(fileURLWithPath: path))
    }
}
