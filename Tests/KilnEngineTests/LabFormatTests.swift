import Foundation
import KilnModel
import KilnTestSupport
import Synchronization
import Testing

@testable import KilnEngine

@Suite("A volume that a guest formats")
struct LabFormatTests {
    private static let formats = ["1": GuestBehaviour(), "2": GuestBehaviour(formats: true)]

    @Test(
        "in a replacement is found before the point of no return: the old generation serves with the data again",
        arguments: Strategy.allCases
    )
    func replacement(_ strategy: Strategy) async throws {
        let test = try LabTestWorld(Self.formats)
        try await test.up()
        test.write("before", by: 1)
        let report = try await test.replace("tiny:2", strategy)
        #expect(report.outcome == .reverted && report.turn?.code == .volumeReformatted)
        #expect(test.world.hypervisor.alive == [test.machine(1)])
        test.write("after", by: 1)
        #expect(try test.written() == ["before", "after"])
        #expect(report.discarded.count == 1)
        #expect(try test.record().reformatted == nil)
        #expect(try await test.replace("tiny:1").outcome == .committed)
        #expect(try test.written() == ["before", "after"])
        #expect(test.world.hypervisor.violations.isEmpty)
    }

    @Test("is found although the replacement fails for another reason, or is killed", arguments: [false, true])
    func failsOtherwise(_ isKilled: Bool) async throws {
        let behaviour = GuestBehaviour(.cloudInitFails, formats: true)
        let test = try LabTestWorld(["1": GuestBehaviour(), "2": behaviour])
        try await test.up()
        test.write("before", by: 1)
        if isKilled { test.world.faults.arm(.crashBefore, at: 40) }
        _ = try? await test.replace("tiny:2")
        test.world.faults.disarm()
        try test.world.reviveAfterCrash()
        _ = try await test.engine.recover(test.id)
        #expect(test.world.hypervisor.alive == [test.machine(1)])
        #expect(try test.written() == ["before"])
    }

    @Test("a full disk keeps no old machine from serving again: it goes on without a seal")
    func fullDisk() async throws {
        let test = try LabTestWorld()
        try await test.up()
        test.write("before", by: 1)
        test.world.faults.before("requestShutdown") {
            test.world.faults.fail("createLayer", with: KilnError(.diskFull, "no space left", exit: .aborted))
        }
        let report = try await test.replace("tiny:2")
        #expect(report.outcome == .aborted && report.turn?.step == .snapshot)
        #expect(test.world.hypervisor.alive == [test.machine(1)])
        test.write("after", by: 1)
        #expect(try test.written() == ["before", "after"])
    }

    @Test("in a launch on a kept volume leaves no machine, and the data as it was")
    func launch() async throws {
        let test = try LabTestWorld(Self.formats)
        try await test.up()
        test.write("before", by: 1)
        try await test.engine.down(test.id.lab)
        let error = await #expect(throws: KilnError.self) { try await test.up(test.spec("tiny:2")) }
        #expect(error?.code == .volumeReformatted && error?.exit == .aborted)
        #expect(test.world.hypervisor.alive.isEmpty)
        #expect(try test.written() == ["before"])
        try await test.up()
        #expect(try test.written() == ["before"])
    }

    @Test("in the first launch of all leaves a volume that the next one can use")
    func firstLaunch() async throws {
        let test = try LabTestWorld(Self.formats)
        await #expect(throws: KilnError.self) { try await test.up(test.spec("tiny:2")) }
        try await test.up()
        test.write("a", by: 2)
        #expect(try test.written() == ["a"])
    }

    @Test("at a start is named, and one command returns what it held")
    func start() async throws {
        let test = try LabTestWorld()
        try await test.up()
        test.write("before", by: 1)
        try await test.engine.stop(test.id)
        test.world.hypervisor.setBehaviour(GuestBehaviour(formats: true), ofImage: test.world.images.disk("1"))
        let error = await #expect(throws: KilnError.self) { try await test.engine.start(test.id) }
        #expect(error?.code == .volumeReformatted && error?.exit == .halted)
        #expect(error?.hint?.contains("'kiln volume restore lab/data before-format'") == true)
        #expect(try test.record().reformatted?.text == "before-format")
        test.write("on the new one", by: 1)

        test.world.hypervisor.setBehaviour(GuestBehaviour(), ofImage: test.world.images.disk("1"))
        let refused = await #expect(throws: KilnError.self) { try await test.replace("tiny:2") }
        #expect(refused?.code == .volumeReformatted)
        try await test.engine.stop(test.id)
        await #expect(throws: KilnError.self) { try await test.engine.start(test.id) }
        let kept = try await test.engine.restoreVolume(lab: test.id.lab, test.volume, to: "before-format")
        #expect(try test.written() == ["before"])
        #expect(try test.engine.volumes.retained() == [kept])
        try await test.engine.start(test.id)
        #expect(try await test.replace("tiny:2").outcome == .committed)
        #expect(try test.written() == ["before"])
    }

    /// Gives the guest of the first machine another boot id with each reboot; in the boot of that number it formats its volume.
    private func formatting(atReboot number: Int, _ test: LabTestWorld) {
        let boots = Mutex(0)
        test.world.faults.before("reboot") { [hypervisor = test.world.hypervisor, machine = test.machine(1)] in
            let boot = boots.withLock { boots in
                boots += 1
                return boots
            }
            if boot == number { _ = hypervisor.write(FakeDisks.format, by: machine) }
        }
        test.world.guests.reply { arguments, _ in
            guard arguments.last == "/proc/sys/kernel/random/boot_id" else { return nil }
            let id = "00000000-0000-4000-8000-\(100_000_000_000 + boots.withLock { $0 })\n"
            return GuestCommandResult(status: 0, output: Array(id.utf8), errors: [])
        }
    }

    @Test("at a reboot is named, and one command returns what it held until then, not only until the start before")
    func reboot() async throws {
        let test = try LabTestWorld()
        formatting(atReboot: 2, test)
        try await test.up()
        test.write("before", by: 1)
        try await test.engine.reboot(test.id)
        let seals = try test.record().snapshots.filter { $0.kind == .boot }
        #expect(seals.map(\.consistency) == [.quiesced])
        test.write("until now", by: 1)
        let error = await #expect(throws: KilnError.self) { try await test.engine.reboot(test.id) }
        #expect(error?.code == .volumeReformatted)
        #expect(test.world.hypervisor.alive == [test.machine(1)])
        #expect(test.world.guests.frozenMachines.isEmpty)
        // A guest whose volume is formatted already is not told to restart.
        let again = await #expect(throws: KilnError.self) { try await test.engine.reboot(test.id) }
        #expect(again?.code == .volumeReformatted)
        try await test.engine.stop(test.id)
        _ = try await test.engine.restoreVolume(lab: test.id.lab, test.volume, to: "before-format")
        #expect(try test.written() == ["before", "until now"])
        #expect(test.world.hypervisor.violations.isEmpty)
    }

    @Test("is no matter of a reboot that can't be sealed before: the guest is not told to restart")
    func rebootUnsealed() async throws {
        let test = try LabTestWorld()
        formatting(atReboot: 1, test)
        try await test.up()
        test.write("before", by: 1)
        test.world.faults.fail("createLayer", with: KilnError(.diskFull, "no space left", exit: .aborted))
        let error = await #expect(throws: KilnError.self) { try await test.engine.reboot(test.id) }
        #expect(error?.code == .diskFull)
        #expect(try test.written() == ["before"])
        #expect(test.world.hypervisor.alive == [test.machine(1)])
    }

    @Test("is no matter of one reboot more than there may be layers: that is told, and the next start merges them")
    func manyReboots() async throws {
        let test = try LabTestWorld()
        formatting(atReboot: 0, test)
        try await test.up()
        for number in 1...66 {
            test.write("\(number)", by: 1)
            try await test.engine.reboot(test.id)
        }
        #expect(try test.record().layers.count == 64)
        let notes = test.world.progress.compactMap { if case .note(let text) = $0 { text } else { nil } }
        #expect(notes.contains { $0.contains("too many layers to be sealed") })
        #expect(test.world.hypervisor.violations.isEmpty)
        try await test.engine.stop(test.id)
        try await test.engine.start(test.id)
        #expect(try test.record().layers.count < 10)
        #expect(try test.written() == (1...66).map(String.init))
    }

    @Test("while it serves is found by the next replacement before anything is touched, however many boots lie between")
    func whileServing() async throws {
        let test = try LabTestWorld()
        try await test.up()
        for number in 1...12 {
            test.write("\(number)", by: 1)
            try await test.engine.stop(test.id)
            try await test.engine.start(test.id)
        }
        #expect(try test.record().layers.count < 12)
        test.write(FakeDisks.format, by: 1)
        let error = await #expect(throws: KilnError.self) { try await test.replace("tiny:2") }
        #expect(error?.code == .volumeReformatted && error?.exit == .halted)
        #expect(test.world.hypervisor.alive == [test.machine(1)])
        try await test.engine.stop(test.id)
        _ = try await test.engine.restoreVolume(lab: test.id.lab, test.volume, to: "before-format")
        #expect(try test.written() == (1...12).map(String.init))
    }

    @Test("can be kept as it is now, by a snapshot and a return to it")
    func kept() async throws {
        let test = try LabTestWorld()
        try await test.up()
        test.write("before", by: 1)
        test.write(FakeDisks.format, by: 1)
        test.write("after", by: 1)
        await #expect(throws: KilnError.self) { try await test.replace("tiny:2") }
        try await test.engine.stop(test.id)
        _ = try await test.engine.snapshotVolume(lab: test.id.lab, test.volume, as: try Name("xfs"))
        _ = try await test.engine.restoreVolume(lab: test.id.lab, test.volume, to: "xfs")
        try await test.engine.start(test.id)
        #expect(try await test.replace("tiny:2").outcome == .committed)
        #expect(try test.written() == ["after"])
    }

    @Test("a clone, a restored and an imported volume have marks of their own, and raise no alarm")
    func marks() async throws {
        let test = try LabTestWorld()
        try await test.up()
        test.write("a", by: 1)
        _ = try await test.engine.snapshotVolume(lab: test.id.lab, test.volume, as: try Name("monday"))
        let clone = try await test.engine.cloneVolume(lab: test.id.lab, test.volume, as: try Name("copy")).volume
        #expect(try await !test.engine.volumes.hasLostMark(clone))
        // The snapshot is older than the clone, and has the mark of the volume that it was made from.
        _ = try await test.engine.restoreVolume(lab: test.id.lab, try Name("copy"), to: "monday")
        #expect(
            try await !test.engine.volumes.hasLostMark(
                try test.engine.volumes.existing(lab: test.id.lab, try Name("copy"))
            )
        )
    }

    @Test("a clone has a mark of its own from its first boot on, and a format after that is found")
    func clonedMark() async throws {
        let test = try LabTestWorld()
        try await test.up()
        test.write("a", by: 1)
        let copy = try Name("copy")
        _ = try await test.engine.cloneVolume(lab: test.id.lab, test.volume, as: copy)
        let other = MemberID(lab: test.id.lab, server: try Name("other"))
        var spec = try test.spec()
        spec.volumes = [copy: "/data"]
        let volume = VolumeSpec(size: .mebibytes(64))
        let servers = try [test.id.server: test.spec(), other.server: spec]
        _ = try await test.engine.up(
            LabSpec(name: test.id.lab, volumes: [test.volume: volume, copy: volume], servers: servers)
        )
        let clone = try test.engine.volumes.existing(lab: test.id.lab, copy)
        #expect(try clone.mark != nil && clone.mark != test.record().mark)
        #expect(try await !test.engine.volumes.hasLostMark(clone))
        #expect(test.world.hypervisor.write(FakeDisks.format, by: other.machine(Generation(1))))
        #expect(try await test.engine.volumes.hasLostMark(clone))
        #expect(try await !test.engine.volumes.hasLostMark(test.record()))
    }

    @Test("of a machine that is off is kept from a snapshot, a clone and a rehearsal: none merges away what was before")
    func whileOff() async throws {
        for change in ["snapshot", "clone"] {
            let test = try LabTestWorld()
            try await test.up()
            for number in 1...9 {
                test.write("\(number)", by: 1)
                try await test.engine.stop(test.id)
                try await test.engine.start(test.id)
            }
            test.write(FakeDisks.format, by: 1)
            try await test.engine.stop(test.id)
            if change == "snapshot" {
                _ = try await test.engine.snapshotVolume(lab: test.id.lab, test.volume)
            } else {
                _ = try await test.engine.cloneVolume(lab: test.id.lab, test.volume, as: try Name("copy"))
            }
            #expect(try test.record().reformatted?.text == "before-format", "\(change)")
            _ = try await test.engine.restoreVolume(lab: test.id.lab, test.volume, to: "before-format")
            #expect(try test.written() == (1...9).map(String.init), "\(change)")
        }
    }

    @Test(
        "while it serves is named by a rehearsal as the volume that it is, and not as its clone, which is gone by then"
    )
    func rehearsed() async throws {
        let test = try LabTestWorld()
        try await test.up()
        test.write("before", by: 1)
        test.write(FakeDisks.format, by: 1)
        let options = ReplaceOptions(image: try ImageReference("tiny:2"), rehearsesFirst: true)
        let error = await #expect(throws: KilnError.self) { try await test.engine.replace(test.id, options) }
        #expect(error?.code == .volumeReformatted)
        #expect(error?.hint?.contains("'kiln volume restore lab/data before-format'") == true)
        #expect(test.engine.volumes.readableList().volumes.map(\.name.text) == ["data"])
        #expect(test.world.hypervisor.alive == [test.machine(1)])
    }

    @Test("in its rehearsal alone is no reason to return to anything")
    func onlyRehearsed() async throws {
        let test = try LabTestWorld(Self.formats)
        try await test.up()
        test.write("before", by: 1)
        let options = ReplaceOptions(image: try ImageReference("tiny:2"), rehearsesFirst: true)
        let error = await #expect(throws: KilnError.self) { try await test.engine.replace(test.id, options) }
        #expect(error?.code == .rehearsalFailed && error?.message.contains("has formatted") == true)
        #expect(error?.hint?.contains("volume restore") != true)
        #expect(try test.record().reformatted == nil && test.written() == ["before"])
    }

    @Test(
        "is told by a snapshot and an export, whether its machine runs or not, and by the server's status from then on"
    )
    func told() async throws {
        for (isRunning, isExported) in [(true, false), (true, true), (false, false), (false, true)] {
            let test = try LabTestWorld()
            try await test.up()
            test.write("before", by: 1)
            try await test.engine.stop(test.id)
            try await test.engine.start(test.id)
            #expect(try await test.engine.status(test.id).reformatted?[test.volume] == nil)
            test.write(FakeDisks.format, by: 1)
            if !isRunning { try await test.engine.stop(test.id) }
            if isExported {
                let file = test.world.root + "/exported"
                _ = try await test.engine.exportVolume(lab: test.id.lab, test.volume, to: file, as: .raw)
            } else {
                _ = try await test.engine.snapshotVolume(lab: test.id.lab, test.volume)
            }
            let warning = "kiln volume restore lab/data before-format"
            #expect(test.world.progress.contains { "\($0)".contains(warning) }, "\(isRunning) \(isExported)")
            #expect(try await test.engine.status(test.id).reformatted?[test.volume]?.text == "before-format")
            #expect(try await test.engine.statuses().first?.reformatted?[test.volume]?.text == "before-format")
            if isRunning { try await test.engine.stop(test.id) }
            _ = try await test.engine.restoreVolume(lab: test.id.lab, test.volume, to: "before-format")
            #expect(try test.written() == ["before"])
            #expect(try await test.engine.status(test.id).reformatted?[test.volume] == nil)
        }
    }

    @Test("a second time is returned from by a name of its own, and what has been returned to leaves no name behind")
    func twice() async throws {
        let test = try LabTestWorld()
        try await test.up()
        for word in ["one", "two"] {
            test.write(word, by: 1)
            try await test.engine.stop(test.id)
            try await test.engine.start(test.id)
            test.write(FakeDisks.format, by: 1)
            try await test.engine.stop(test.id)
            await #expect(throws: KilnError.self) { try await test.engine.start(test.id) }
            let list = await test.engine.volumes.reformatted(among: [try test.record()])
            let name = try #require(list.found[try test.record().id])
            _ = try await test.engine.restoreVolume(lab: test.id.lab, test.volume, to: name.text)
            #expect(try test.record().snapshots.allSatisfy { $0.kind != .format })
            try await test.engine.start(test.id)
        }
        #expect(try test.written() == ["one", "two"])
    }

    @Test("into something that can't have a mark can be kept, and raises no alarm again")
    func foreign() async throws {
        let test = try LabTestWorld()
        try await test.up()
        test.write(FakeDisks.format, by: 1)
        test.write(FakeDisks.foreign, by: 1)
        await #expect(throws: KilnError.self) { try await test.replace("tiny:2") }
        try await test.engine.stop(test.id)
        _ = try await test.engine.snapshotVolume(lab: test.id.lab, test.volume, as: try Name("xfs"))
        _ = try await test.engine.restoreVolume(lab: test.id.lab, test.volume, to: "xfs")
        for _ in 1...2 {
            try await test.engine.start(test.id)
            try await test.engine.stop(test.id)
        }
        try await test.engine.start(test.id)
        #expect(try await test.replace("tiny:2").outcome == .committed)
        #expect(try test.written() == [FakeDisks.foreign])
    }

    @Test("that can't be looked for does not cost a machine that is healthy")
    func unseen() async throws {
        let test = try LabTestWorld()
        try await test.up()
        test.write("a", by: 1)
        let broken = KilnError(.toolFailed, "qemu-io ended with exit status 1")
        test.world.faults.before("began verify") { test.world.faults.fail("mark", with: broken) }
        let report = try await test.replace("tiny:2")
        #expect(report.outcome == .committed)
        test.world.faults.fail("mark", with: nil)
        #expect(try test.written() == ["a"])
    }

    /// Makes the volume's record what a version without marks wrote.
    private func forgetMark(_ test: LabTestWorld) throws {
        let path = test.world.state.volume(lab: test.id.lab, test.volume) + "/volume.json"
        var fields = try #require(
            try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path))) as? [String: Any]
        )
        for key in ["mark", "isUsed", "reformatted", "unmarked"] { fields[key] = nil }
        try JSONSerialization.data(withJSONObject: fields).write(to: URL(fileURLWithPath: path))
    }

    @Test(
        "of a volume of an earlier version is found in its first replacement, and what it held is the last, not the first"
    )
    func earlierVersionReplaced() async throws {
        let test = try LabTestWorld(Self.formats)
        try await test.up()
        for word in ["a", "b", "c"] {
            test.write(word, by: 1)
            try await test.engine.stop(test.id)
            try await test.engine.start(test.id)
        }
        try forgetMark(test)
        for layer in try test.record().layers {
            let path = test.world.state.volume(lab: test.id.lab, test.volume) + "/" + layer
            let text = try String(contentsOfFile: path, encoding: .utf8)
            let without = text.split(separator: "\n", omittingEmptySubsequences: false).filter {
                !$0.hasPrefix("mark ")
            }
            chmod(path, 0o644)
            try Data(without.joined(separator: "\n").utf8).write(to: URL(fileURLWithPath: path))
        }
        let report = try await test.replace("tiny:2")
        #expect(report.outcome == .reverted && report.turn?.code == .volumeReformatted)
        #expect(try test.written() == ["a", "b", "c"])

        try await test.engine.stop(test.id)
        try await test.engine.start(test.id)
        test.write(FakeDisks.format, by: 1)
        try await test.engine.stop(test.id)
        await #expect(throws: KilnError.self) { try await test.engine.start(test.id) }
        _ = try await test.engine.restoreVolume(lab: test.id.lab, test.volume, to: "before-format")
        #expect(try test.written() == ["a", "b", "c"])
    }

    @Test("a volume of an earlier version gets its mark at the next boot, and keeps its content")
    func earlierVersion() async throws {
        let test = try LabTestWorld()
        try await test.up()
        test.write("a", by: 1)
        try await test.engine.stop(test.id)
        try forgetMark(test)
        #expect(try test.record().mark == nil)
        try await test.engine.start(test.id)
        #expect(try test.record().mark != nil)
        #expect(try await !test.engine.volumes.hasLostMark(test.record()))
        #expect(try test.written() == ["a"])
    }

    @Test("a mark of a later version is refused by name")
    func newerMark() async throws {
        let test = try LabTestWorld()
        try await test.up()
        test.write(FakeDisks.newerMark, by: 1)
        let error = await #expect(throws: KilnError.self) { try await test.replace("tiny:2") }
        #expect(error?.code == .volumeNewerMark)
        #expect(test.world.hypervisor.alive == [test.machine(1)])
    }
}
