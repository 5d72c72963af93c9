import Foundation
import KilnModel
import KilnStore
import KilnSystem
import KilnTestSupport
import Testing

@testable import KilnEngine

/// What commands after a death or a halt may rely on, beyond what the random schedules reach.
@Suite struct LabRecoveryTests {
    private static let unreachable = KilnError(.hypervisorUnreachable, "gone", exit: .unreachable)

    // MARK: - Rehearsals

    @Test("a rehearsal whose clone would have the name of a user's volume is refused, and that volume stays")
    func userNamedVolume() async throws {
        let world = try LabTestWorld()
        try await world.up()
        world.write("a", by: 1)
        let name = try Name("data-rehearsal")
        _ = try await world.engine.cloneVolume(lab: world.id.lab, world.volume, as: name)
        let options = ReplaceOptions(image: try ImageReference("tiny:2"), rehearsesFirst: true)
        let error = try await #require(throws: KilnError.self) { try await world.engine.replace(world.id, options) }
        #expect(error.code == .rehearsalNameTaken && error.message.contains("lab/data-rehearsal"))
        #expect(try world.world.written(lab: world.id.lab, volume: name) == ["a"])
        #expect(try world.engine.members() == [world.id])
    }

    @Test("a killed rehearsal's clone goes also where the lab was declared without the volume since")
    func clonesOfKilledRehearsal() async throws {
        let world = try LabTestWorld()
        try await world.up()
        world.world.faults.before("start") { [faults = world.world.faults] in faults.arm(.crashBefore, at: 1) }
        let options = ReplaceOptions(image: try ImageReference("tiny:2"), rehearsesFirst: true)
        await #expect(throws: (any Error).self) { try await world.engine.replace(world.id, options) }
        try #require(world.world.faults.isCrashed)
        world.world.faults.before("start", nil)
        world.world.faults.disarm()
        try world.world.reviveAfterCrash()
        let names = world.engine.volumes.names(of: world.id.lab).map(\.text)
        try #require(names == ["data", "data-rehearsal"])
        var spec = try world.spec()
        spec.volumes = [:]
        try await world.up(spec)
        #expect(world.engine.volumes.names(of: world.id.lab) == [world.volume])
        #expect(try world.engine.volumes.retained().isEmpty)
    }

    // MARK: - The journal

    @Test("a journal whose end is gone, at whatever record, starts nobody and removes nothing")
    func shortJournal() async throws {
        let world = try LabTestWorld()
        try await world.up()
        let path = world.world.state.member(world.id) + "/journal"
        let first = try Data(contentsOf: URL(fileURLWithPath: path))
        #expect(try await world.replace("tiny:2").outcome == .committed)
        let files = try world.files()
        for short in [Data(), first.prefix(15), first] {
            try short.write(to: URL(fileURLWithPath: path))
            for command in [
                { _ = try await world.up() }, { _ = try await world.replace("tiny:1") },
                { try await world.engine.start(world.id) }, { _ = try await world.engine.recover(world.id) },
            ] as [() async throws -> Void] {
                let error = try await #require(throws: KilnError.self) { try await command() }
                #expect(error.code == .journalShort && error.hint?.contains("kiln down lab") == true)
            }
            #expect(world.world.hypervisor.alive == [world.machine(2)])
            #expect(try world.files() == files)
        }
        try await world.engine.down(world.id.lab)
        #expect(world.world.hypervisor.alive.isEmpty)
        try await world.up()
    }

    @Test("a lease of a server of which nothing else is left goes with 'down'")
    func orphanLease() async throws {
        let world = try LabTestWorld()
        try await world.up()
        world.write("a", by: 1)
        #expect(try await world.replace("tiny:2").outcome == .committed)
        try await world.engine.stop(world.id)
        try FileManager.default.removeItem(atPath: world.world.state.lab(world.id.lab))
        let error = try await #require(throws: KilnError.self) { try await world.up() }
        #expect(error.code == .journalShort)
        try await world.engine.down(world.id.lab)
        #expect(try world.record().lease == nil)
        try await world.up()
        #expect(try world.written() == ["a"])
    }

    @Test("what a killed 'down' left of a server is garbage, and no server")
    func killedDown() async throws {
        let world = try LabTestWorld()
        try await world.up()
        let servers = DurableFile.directory(of: world.world.state.member(world.id))
        let gone = servers + "/.gone-other"
        try DurableFile.makeDirectory(gone + "/generations/3")
        #expect(try world.engine.members() == [world.id])
        #expect(try await world.engine.collectGarbage().contains(gone))
        #expect(!world.exists(gone))
    }

    @Test("a server whose journal can't be read hides no other, and keeps no other's garbage")
    func otherServers() async throws {
        let world = try LabTestWorld()
        let other = MemberID(lab: world.id.lab, server: try Name("other"))
        var spec = try world.spec()
        spec.volumes = [:]
        _ = try await world.engine.up(try world.lab([world.id.server: world.spec(), other.server: spec]))
        let path = world.world.state.member(other) + "/journal"
        try Data("kiln-journal 2\n".utf8).write(to: URL(fileURLWithPath: path))
        let seen = try await world.engine.statuses()
        #expect(seen.map(\.name) == [other.server, world.id.server])
        #expect(seen.first?.problem?.contains("not a journal of format 1") == true)
        #expect(seen.last?.problem == nil && seen.last?.state == .running)
        let seed = world.world.state.seed(world.machine(1))
        // One root of the past is kept, so that of the first generation is not.
        for image in ["tiny:2", "tiny:1"] { _ = try await world.replace(image) }
        try Data().write(to: URL(fileURLWithPath: seed))
        #expect(try await world.engine.collectGarbage().contains(seed))
        #expect(world.world.hypervisor.alive == [world.machine(3), other.machine(Generation(1))])
    }

    @Test("warm-first: where the journal can't be written any more, no second machine runs on beside the old one")
    func unwritableJournal() async throws {
        let world = try LabTestWorld()
        try await world.up()
        let path = world.world.state.member(world.id) + "/journal"
        world.world.faults.before("awaitAgent") {
            try? FileManager.default.moveItem(atPath: path, toPath: path + ".kept")
            // Kiln follows no links.
            try? FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: path + ".kept")
        }
        let error = try await #require(throws: KilnError.self) { try await world.replace("tiny:2", .warmFirst) }
        #expect(error.code == .stateNotWritable && error.exit == .aborted)
        #expect(world.world.hypervisor.alive == [world.machine(1)])
        world.world.faults.before("awaitAgent", nil)
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.moveItem(atPath: path + ".kept", toPath: path)
        #expect(try await world.engine.recover(world.id)?.outcome == .aborted)
        #expect(world.world.hypervisor.alive == [world.machine(1)])
    }

    @Test("an image is needed by the machine that serves, and by each of an operation that has not ended")
    func neededImages() async throws {
        let world = try LabTestWorld()
        try await world.up()
        var digests: [ImageDigest] = []
        for version in ["1", "2"] {
            let image = try await world.world.images.verifiedImage(
                try ImageReference("tiny:\(version)"),
                for: .existing
            )
            digests.append(image.manifest.digest)
        }
        #expect(try digests.map { try world.engine.servers(needing: $0) } == [[world.id], []])
        world.world.faults.fail("awaitAgent", with: Self.unreachable)
        await #expect(throws: KilnError.self) { try await world.replace("tiny:2") }
        #expect(try digests.map { try world.engine.servers(needing: $0) } == [[world.id], [world.id]])
        world.world.faults.fail("awaitAgent", with: nil)
        #expect(try await world.engine.recover(world.id)?.outcome == .committed)
        #expect(try digests.map { try world.engine.servers(needing: $0) } == [[], [world.id]])
        try Data("{}".utf8).write(
            to: URL(fileURLWithPath: world.world.state.generation(world.machine(2)) + "/generation.json")
        )
        let error = #expect(throws: KilnError.self) { try world.engine.servers(needing: digests[0]) }
        #expect(error?.code == .imageUsersUnknown && error?.exit == .blocked)
    }

    // MARK: - The old machine

    @Test("what the old machine's console said long ago does not halt an abort")
    func oldConsole() async throws {
        let world = try LabTestWorld(["1": GuestBehaviour(shutdown: .ignores), "2": GuestBehaviour()])
        try await world.up()
        let console = world.world.state.consoleLog(world.machine(1))
        try Data("booted\nOut of memory: Killed process 7 (leaky)\n".utf8).write(to: URL(fileURLWithPath: console))
        let report = try await world.replace("tiny:2")
        #expect(report.outcome == .aborted && report.turn?.code == .stopTimeout, "\(report)")
        #expect(world.world.hypervisor.alive == [world.machine(1)])
        #expect(world.world.hypervisor.starts(world.machine(1)) == 1)
    }

    @Test("an old machine that a full disk pauses in the middle of its shutdown is booted again: it would end later")
    func pausedInShutdown() async throws {
        let world = try LabTestWorld(["1": GuestBehaviour(shutdown: .ignores), "2": GuestBehaviour()])
        try await world.up()
        let (hypervisor, old) = (world.world.hypervisor, world.machine(1))
        world.world.faults.before("waitUntilOff") { [faults = world.world.faults] in
            hypervisor.set(old, .paused)
            faults.before("waitUntilOff", nil)
        }
        let report = try await world.replace("tiny:2")
        #expect(report.outcome == .aborted, "\(report)")
        #expect(hypervisor.alive == [old] && hypervisor.starts(old) == 2)
        #expect(try await world.engine.status(world.id).state == .running)
        #expect(try !world.record().isUnclean)
    }

    @Test("a machine keeps the ports that it was made with, whatever the lab is declared with, until it is replaced")
    func portsOfMachine() async throws {
        let world = try LabTestWorld(["1": GuestBehaviour(), "2": GuestBehaviour(.cloudInitFails)])
        let http = try Name("http")
        var spec = try world.spec()
        spec.ports = [http: PortSpec(guest: 80, host: 18080)]
        try await world.up(spec)
        spec.ports = [http: PortSpec(guest: 80, host: 18081)]
        try await world.up(spec)
        #expect(try await world.engine.status(world.id).ports[http]?.host == 18080)
        #expect(try await world.replace("tiny:2").outcome == .reverted)
        #expect(world.world.hypervisor.running(onPort: 18080) == world.machine(1))
        #expect(try await world.replace("tiny:1").outcome == .committed)
        #expect(try await world.engine.status(world.id).ports[http]?.host == 18081)
        #expect(world.world.hypervisor.running(onPort: 18081) == world.machine(3))
    }

    // MARK: - The new machine

    @Test("warm-first: a new machine that is booted again with its volumes is waited for before it is asked for them")
    func bootedAgain() async throws {
        let world = try LabTestWorld()
        try await world.up()
        let faults = world.world.faults
        faults.fail("attach", with: Self.unreachable)
        await #expect(throws: KilnError.self) { try await world.replace("tiny:2", .warmFirst) }
        faults.fail("attach", with: nil)
        world.world.hypervisor.set(world.machine(2), .off)
        faults.fail("run", with: KilnError(.guestAgentSilent, "it boots", exit: .deadline))
        faults.before("awaitAgent") { faults.fail("run", with: nil) }
        #expect(try await world.engine.recover(world.id)?.outcome == .committed)
        #expect(world.world.hypervisor.alive == [world.machine(2)])
    }

    @Test("a boot begins the health deadline anew")
    func deadlineOfBoot() async throws {
        let world = try LabTestWorld()
        try await world.up()
        world.world.faults.fail("awaitAgent", with: Self.unreachable)
        await #expect(throws: KilnError.self) { try await world.replace("tiny:2") }
        world.world.faults.fail("awaitAgent", with: nil)
        let mark = world.world.state.generation(world.machine(2)) + "/health.start"
        let began = try #require(try DurableFile.readJSON(HostUptime.self, from: mark))
        try DurableFile.writeJSON(HostUptime(bootID: began.bootID, seconds: began.seconds - 3600), to: mark)
        world.world.hypervisor.set(world.machine(2), .off)
        #expect(try await world.engine.recover(world.id)?.outcome == .committed)
        let anew = try #require(try DurableFile.readJSON(HostUptime.self, from: mark))
        #expect(anew.seconds >= began.seconds)
    }

    @Test("past the point of no return a machine that serves no more can be replaced, and switched off")
    func brokenInCommit() async throws {
        let world = try LabTestWorld()
        try await world.up()
        world.write("a", by: 1)
        let kept = KilnError(.machineSeedKept, "the guest does not let go", exit: .deadline)
        world.world.faults.fail("detachSeed", with: kept)
        let error = try await #require(throws: KilnError.self) { try await world.replace("tiny:2") }
        #expect(error.code == .replaceOpen && error.exit == .halted)
        await #expect(throws: KilnError.self) { try await world.engine.stop(world.id) }
        try await world.engine.stop(world.id, force: true)
        #expect(world.world.hypervisor.alive.isEmpty)
        world.world.faults.fail("detachSeed", with: nil)
        world.world.hypervisor.setBehaviour(
            GuestBehaviour(.cloudInitFails),
            ofImage: world.world.root + "/images/tiny-2.qcow2"
        )
        #expect(try await world.replace("tiny:1").outcome == .committed)
        #expect(world.world.hypervisor.alive == [world.machine(3)])
        #expect(!world.exists(world.world.state.seed(world.machine(2))))
        #expect(try world.written() == ["a"])
    }

    @Test(
        "a new machine that ends in COMMIT before it has written what its first boot made boots once more from its seed",
        arguments: [false, true]
    )
    func lostPowerInCommit(whileAsked: Bool) async throws {
        let world = try LabTestWorld()
        try await world.up()
        let (hypervisor, new, seed) = (
            world.world.hypervisor, world.machine(2), world.world.state.seed(world.machine(2))
        )
        world.world.guests.answer("sync") { $0 == new && hypervisor.starts(new) == 1 ? 1 : 0 }
        // The hypervisor may be asked before it has noticed; then it is the request that fails.
        let reset = KilnError(.hypervisorFailed, "cannot detach device: connection reset by peer")
        world.world.faults.before("detachSeed") { [faults = world.world.faults] in
            hypervisor.set(new, .off)
            faults.before("detachSeed", nil)
            if whileAsked { faults.fail("detachSeed", with: reset) }
            faults.before("start") { faults.fail("detachSeed", with: nil) }
            faults.before("define") { #expect(FileManager.default.fileExists(atPath: seed)) }
        }
        #expect(try await world.replace("tiny:2").outcome == .committed)
        #expect(hypervisor.alive == [new] && hypervisor.starts(new) == 2)
        #expect(!world.exists(seed))
    }

    @Test(
        "an old machine is not given up for a new one that a full disk pauses in COMMIT; the next command lets that go on"
    )
    func pausedInCommit() async throws {
        let world = try LabTestWorld()
        try await world.up()
        world.write("a", by: 1)
        let (hypervisor, old, new) = (world.world.hypervisor, world.machine(1), world.machine(2))
        world.world.guests.answer("sync") { machine in
            guard machine == new else { return 0 }
            hypervisor.set(new, .paused)
            return 1
        }
        let error = try await #require(throws: KilnError.self) { try await world.replace("tiny:2") }
        #expect(error.code == .replaceOpen && error.exit == .halted && error.message.contains("paused"))
        #expect(try await hypervisor.state(of: old) == .off)
        world.world.guests.answer("sync") { _ in 0 }
        #expect(try await world.engine.recover(world.id)?.outcome == .committed)
        #expect(hypervisor.alive == [new] && hypervisor.starts(new) == 1)
        #expect(try await hypervisor.state(of: new) == .running)
        #expect(try await hypervisor.state(of: old) == .absent)
        #expect(try world.written() == ["a"])
    }

    // MARK: - What is left

    @Test("gc removes what a killed process was making of a generation's disks")
    func drafts() async throws {
        let world = try LabTestWorld()
        try await world.up()
        let draft = world.world.state.seed(world.machine(2)) + ".making"
        world.world.faults.before("define") { [faults = world.world.faults] in
            try? DurableFile.makeDirectory(draft)
            try? Data("a host's private key".utf8).write(to: URL(fileURLWithPath: draft + "/user-data"))
            faults.arm(.crashBefore, at: 1)
        }
        _ = try? await world.replace("tiny:2")
        try #require(world.world.faults.isCrashed)
        world.world.faults.before("define", nil)
        world.world.faults.disarm()
        try world.world.reviveAfterCrash()
        try DurableFile.makeDirectory(draft)
        #expect(try await world.engine.recover(world.id)?.outcome == .aborted)
        #expect(!world.exists(draft))
        try DurableFile.makeDirectory(draft)
        #expect(try await world.engine.collectGarbage() == [draft])
        #expect(!world.exists(draft))
    }

    @Test("a volume that only one of the two machines mounts is nobody's once the other serves")
    func leases() async throws {
        let world = try LabTestWorld(["1": GuestBehaviour(), "2": GuestBehaviour(.cloudInitFails)])
        let more = try Name("more")
        let one = try world.spec()
        var two = one
        two.volumes[more] = "/more"
        func up(_ spec: ServerSpec) async throws {
            let volume = VolumeSpec(size: .mebibytes(64))
            let volumes = [world.volume: volume, more: volume]
            _ = try await world.engine.up(
                LabSpec(name: world.id.lab, volumes: volumes, servers: [world.id.server: spec])
            )
        }
        func holder() throws -> MachineID? { try world.engine.volumes.record(lab: world.id.lab, more)?.lease?.machine }
        try await up(two)
        #expect(try holder() == world.machine(1))
        try await up(one)
        #expect(try await world.replace("tiny:1").outcome == .committed)
        #expect(try holder() == nil)
        try await up(two)
        #expect(try await world.replace("tiny:2").outcome == .reverted)
        #expect(try holder() == nil)
        #expect(try world.record().lease?.machine == world.machine(2))
    }

    @Test("a recovery that ends a revert names the state that an earlier process had set aside")
    func discardedIsNamed() async throws {
        let world = try LabTestWorld()
        var spec = try world.spec()
        spec.verify = [Check(.exec(["/usr/bin/check"]), failures: 1)]
        let (faults, new) = (world.world.faults, world.machine(2))
        world.world.guests.answer("/usr/bin/check") { machine in
            faults.fail("start", with: Self.unreachable)
            return machine == new ? 1 : 0
        }
        try await world.up(spec)
        faults.fail("start", with: nil)
        let options = ReplaceOptions(image: try ImageReference("tiny:2"), dataOnRevert: .restore)
        await #expect(throws: KilnError.self) { try await world.engine.replace(world.id, options) }
        faults.fail("start", with: nil)
        let report = try #require(try await world.engine.recover(world.id))
        #expect(report.outcome == .reverted && report.discarded.count == 1)
        #expect(try world.engine.volumes.retained() == report.discarded)
    }
}
