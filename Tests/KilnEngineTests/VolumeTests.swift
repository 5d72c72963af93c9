import Foundation
import KilnModel
import KilnSystem
import KilnTestSupport
import Testing

@testable import KilnEngine

@Suite("Volumes")
struct VolumeTests {
    private func code(_ body: () async throws -> Void) async -> ErrorCode? {
        do {
            try await body()
            return nil
        } catch {
            return (error as? KilnError)?.code
        }
    }

    @Test("a home without hard links is named as that where one is needed, and a full disk as a full disk")
    func noLinks() {
        for number in [EPERM, EOPNOTSUPP, ENOSYS] {
            let error = VolumeStore.notLinked("/home/volumes/lab/new/layer", number)
            #expect(error.code == .volumeNoLinks && error.exit == .aborted)
            #expect(error.message.contains("/home/volumes/lab/new has no hard links"))
        }
        #expect(VolumeStore.notLinked("/x/layer", ENOSPC).code == .diskFull)
        #expect(VolumeStore.notLinked("/x/layer", EACCES).code == .stateNotWritable)
    }

    @Test("a live snapshot lets the machine write on, says that its guest was quiesced, and can be returned to")
    func liveSnapshot() async throws {
        let test = try LabTestWorld()
        try await test.up()
        test.write("before", by: 1)
        let snapshot = try await test.engine.snapshotVolume(lab: test.id.lab, test.volume, as: try Name("monday"))
        #expect(snapshot.consistency == .quiesced)
        #expect(test.world.guests.frozenMachines.isEmpty)
        test.write("after", by: 1)
        #expect(try test.written() == ["before", "after"])
        let active = try test.activeLayer
        #expect(test.world.hypervisor.spec(test.machine(1))?.volumes.first?.disk.path == active)
        #expect(try test.record().unconfirmed == nil)

        let attached = await code {
            _ = try await test.engine.restoreVolume(lab: test.id.lab, test.volume, to: "monday")
        }
        #expect(attached == "volume.attached")
        try await test.engine.stop(test.id)
        let kept = try await test.engine.restoreVolume(lab: test.id.lab, test.volume, to: "monday")
        #expect(try test.written() == ["before"])
        #expect(try test.engine.volumes.retained() == [kept])
        _ = try test.engine.volumes.undelete(kept, as: (test.id.lab, try Name("lost")))
        #expect(try test.world.written(lab: test.id.lab, volume: try Name("lost")) == ["before", "after"])
        try await test.engine.start(test.id)
        test.write("again", by: 1)
        #expect(try test.written() == ["before", "again"])
        #expect(try test.world.written(lab: test.id.lab, volume: try Name("lost")) == ["before", "after"])
        #expect(test.world.hypervisor.violations.isEmpty)
    }

    @Test("a guest that can't be frozen makes the snapshot crash-consistent, and a machine that is off makes it clean")
    func consistency() async throws {
        let test = try LabTestWorld()
        try await test.up()
        test.world.faults.fail("freeze", with: KilnError(.guestRefused, "no fsfreeze here"))
        let live = try await test.engine.snapshotVolume(lab: test.id.lab, test.volume)
        #expect(live.consistency == .crashConsistent && live.name.text == "snapshot-1")
        try await test.engine.stop(test.id)
        let off = try await test.engine.snapshotVolume(lab: test.id.lab, test.volume)
        #expect(off.consistency == .clean && off.name.text == "snapshot-2")
        try await test.engine.volumes.markUnclean(lab: test.id.lab, name: test.volume)
        let unclean = try await test.engine.snapshotVolume(lab: test.id.lab, test.volume)
        #expect(unclean.consistency == .crashConsistent)
    }

    @Test("a live snapshot that fails or dies anywhere loses no write, and leaves nobody frozen after the next command")
    func faultsInLiveSnapshot() async throws {
        for kind in Faults.Kind.allCases {
            for call in 1...14 {
                let test = try LabTestWorld()
                try await test.up()
                test.write("before", by: 1)
                test.world.faults.arm(kind, at: call)
                _ = try? await test.engine.snapshotVolume(lab: test.id.lab, test.volume)
                let fired = test.world.faults.disarm() ?? "nothing"
                try test.world.reviveAfterCrash()
                test.write("during", by: 1)
                #expect(try test.written() == ["before", "during"], "\(fired)")
                // The machine may be restarted at once, or after another look at it.
                if call.isMultiple(of: 2) { _ = try await test.engine.recover(test.id) }
                try await test.engine.stop(test.id)
                #expect(test.world.guests.frozenMachines.isEmpty, "\(fired)")
                try await test.engine.start(test.id)
                test.write("after", by: 1)
                let snapshot = try await test.engine.snapshotVolume(lab: test.id.lab, test.volume, as: try Name("last"))
                test.write("last", by: 1)
                #expect(try test.written() == ["before", "during", "after", "last"], "\(fired)")
                #expect(try test.record().unconfirmed == nil, "\(fired)")
                #expect(snapshot.consistency == .quiesced)
                #expect(test.world.hypervisor.violations.isEmpty, "\(fired)")
            }
        }
    }

    @Test("a guest that a killed clone left frozen goes on, also where one answer of the next command gets lost")
    func lostAnswerAfterKilledClone() async throws {
        for call in 1...6 {
            let test = try LabTestWorld()
            try await test.up()
            // It dies when it has frozen the guest and is about to switch the machine to the new layer.
            test.world.faults.before("moveVolume") { [faults = test.world.faults] in faults.arm(.crashBefore, at: 1) }
            _ = try? await test.engine.cloneVolume(lab: test.id.lab, test.volume, as: try Name("copy"))
            test.world.faults.before("moveVolume", nil)
            test.world.faults.disarm()
            try test.world.reviveAfterCrash()
            try #require(test.world.guests.frozenMachines == [test.machine(1)])
            test.world.faults.arm(.unreachableBefore, at: call)
            _ = try? await test.engine.start(test.id)
            let fired = test.world.faults.disarm() ?? "nothing"
            try await test.up()
            #expect(test.world.guests.frozenMachines.isEmpty, "\(fired)")
        }
    }

    @Test("a guest that is not thawed is an error, and the next command tries again")
    func notThawed() async throws {
        let test = try LabTestWorld()
        try await test.up()
        test.world.faults.fail("thaw", with: KilnError(.guestAgentSilent, "nobody answers"))
        #expect(
            await code { _ = try await test.engine.snapshotVolume(lab: test.id.lab, test.volume) } == "guest.frozen"
        )
        test.world.faults.fail("thaw", with: nil)
        _ = try await test.engine.recover(test.id)
        #expect(test.world.guests.frozenMachines.isEmpty)
        #expect(try test.record().unconfirmed == nil)
        #expect(try test.record().snapshots.filter { $0.kind == .named }.count == 1)
    }

    @Test("a guest that a full disk pauses in the middle of a freeze writes on once it goes on")
    func pausedWhileFrozen() async throws {
        let test = try LabTestWorld()
        try await test.up()
        let machine = test.machine(1)
        test.world.faults.before("moveVolume") {
            test.world.hypervisor.set(machine, .paused)
            test.world.faults.fail("thaw", with: KilnError(.guestAgentSilent, "it stands still"))
        }
        test.world.faults.fail("moveVolume", with: KilnError(.diskFull, "full", exit: .aborted))
        await #expect(throws: KilnError.self) {
            try await test.engine.snapshotVolume(lab: test.id.lab, test.volume)
        }
        test.world.faults.fail("moveVolume", with: nil)
        test.world.faults.fail("thaw", with: nil)
        try #require(test.world.guests.frozenMachines == [machine])
        try await test.up()
        #expect(test.world.guests.frozenMachines.isEmpty)
        #expect(test.world.hypervisor.alive == [machine])
    }

    @Test("a restore that fails or dies anywhere is done once when it is called again, and keeps what it discards")
    func faultsInRestore() async throws {
        for kind in Faults.Kind.allCases {
            for call in 1...8 {
                let test = try LabTestWorld()
                try await test.up()
                test.write("old", by: 1)
                try await test.engine.stop(test.id)
                let store = test.engine.volumes
                try await store.seal(lab: test.id.lab, test.volume, mark: "before-2-abcdef01")
                try await test.engine.start(test.id)
                test.write("new", by: 1)
                try await test.engine.stop(test.id)
                test.world.faults.arm(kind, at: call)
                _ = try? await store.restore(lab: test.id.lab, name: test.volume, to: "before-2-abcdef01")
                let fired = test.world.faults.disarm() ?? "nothing"
                try test.world.reviveAfterCrash()
                let kept = try await store.restore(lab: test.id.lab, name: test.volume, to: "before-2-abcdef01")
                let again = try await store.restore(lab: test.id.lab, name: test.volume, to: "before-2-abcdef01")
                #expect(kept == again, "\(fired)")
                #expect(try store.retained() == [kept], "\(fired)")
                #expect(try test.written() == ["old"], "\(fired)")
                _ = try store.undelete(kept, as: (test.id.lab, try Name("lost")))
                #expect(
                    try test.world.written(lab: test.id.lab, volume: try Name("lost")) == ["old", "new"],
                    "\(fired)"
                )
                let left = try FileManager.default.contentsOfDirectory(atPath: test.world.state.retained)
                #expect(left.isEmpty, "\(fired): \(left)")
            }
        }
    }

    @Test("a clone and its original outlive each other, and what one writes the other never sees")
    func clone() async throws {
        let test = try LabTestWorld()
        try await test.up()
        test.write("shared", by: 1)
        let copy = try Name("copy")
        let clone = try await test.engine.cloneVolume(lab: test.id.lab, test.volume, as: copy)
        let original = try test.record().id
        #expect(clone.consistency == .quiesced && clone.volume.id != original)
        test.write("mine", by: 1)
        #expect(try test.world.written(lab: test.id.lab, volume: copy) == ["shared"])
        let taken = await code { _ = try await test.engine.cloneVolume(lab: test.id.lab, test.volume, as: copy) }
        #expect(taken == "volume.exists")
        try await test.engine.down(test.id.lab)
        try test.engine.volumes.purge(try test.engine.volumes.retain(lab: test.id.lab, test.volume))
        #expect(try test.world.written(lab: test.id.lab, volume: copy) == ["shared"])
        #expect(throws: Never.self) { try test.engine.volumes.disk(lab: test.id.lab, copy) }
    }

    @Test("layers are merged only above those that a clone or a named snapshot needs")
    func mergesAboveWhatIsNeeded() async throws {
        let test = try LabTestWorld()
        try await test.up()
        try await test.engine.stop(test.id)
        let (lab, store) = (test.id.lab, test.engine.volumes)
        func write(_ line: String) async throws {
            try await test.engine.start(test.id)
            test.write(line, by: 1)
            try await test.engine.stop(test.id)
        }
        try await write("one")
        _ = try await test.engine.cloneVolume(lab: lab, test.volume, as: try Name("copy"))
        try await write("two")
        _ = try await test.engine.snapshotVolume(lab: lab, test.volume, as: try Name("two"))
        for number in 1...20 {
            try await write("line \(number)")
            try await store.seal(lab: lab, test.volume, mark: "before-\(number)-abcdef01")
        }
        #expect(try test.record().layers.count <= 10)
        #expect(try test.written() == ["one", "two"] + (1...20).map { "line \($0)" })
        #expect(try test.world.written(lab: lab, volume: try Name("copy")) == ["one"])
        // Each snapshot that is left is what it was when it was taken.
        for snapshot in try test.record().snapshots
        where snapshot.kind == .named || snapshot.name.text.hasSuffix("abcdef01") {
            let state = try FakeDisks.written(test.world.state.volume(lab: lab, test.volume) + "/" + snapshot.layer)
            let number = snapshot.kind == .named ? 0 : Int(snapshot.name.text.split(separator: "-")[1]) ?? -1
            #expect(state.count == number + 2, "\(snapshot.name)")
        }
        _ = try await test.engine.restoreVolume(lab: lab, test.volume, to: "two")
        #expect(try test.written() == ["one", "two"])
    }

    @Test(
        "a check finds damage, a repair keeps the state before, and an unclean volume is checked before it is trusted"
    )
    func checks() async throws {
        let test = try LabTestWorld()
        try await test.up()
        test.write("damage", by: 1)
        try await test.engine.stop(test.id)
        let store = test.engine.volumes
        try await store.requireClean(lab: test.id.lab, name: test.volume)
        try await store.markUnclean(lab: test.id.lab, name: test.volume)
        #expect(await code { try await store.requireClean(lab: test.id.lab, name: test.volume) } == "volume.damaged")
        #expect(try test.record().isUnclean)
        let check = try await test.engine.checkVolume(lab: test.id.lab, test.volume, repair: true)
        #expect(!check.finding.isSound && check.repaired?.name.text == "before-repair-1")
        #expect(try !test.record().isUnclean)
        #expect(try test.written() == ["damage", "repair"])
        try await store.requireClean(lab: test.id.lab, name: test.volume)
        _ = try await test.engine.restoreVolume(lab: test.id.lab, test.volume, to: "before-repair-1")
        #expect(await code { try await store.requireClean(lab: test.id.lab, name: test.volume) } == "volume.damaged")
    }

    @Test("a file system that is newer than the tools is never repaired, and after a lost power not trusted either")
    func newerFileSystem() async throws {
        let test = try LabTestWorld()
        try await test.up()
        test.write("newer", by: 1)
        try await test.engine.stop(test.id, force: true)
        let check = try await test.engine.checkVolume(lab: test.id.lab, test.volume, repair: true)
        #expect(check.finding == .newer(features: ["FEATURE_C15"], than: "a tool 1.0") && check.repaired == nil)
        #expect(try test.record().isUnclean && !test.record().snapshots.contains { $0.kind == .repair })
        let error = await #expect(throws: KilnError.self) { try await test.engine.start(test.id) }
        #expect(error?.code == .volumeNewerFeatures && error?.exit == .halted)
        #expect(error?.message.contains("a tool 1.0 does not know FEATURE_C15") == true)
        // One that was shut down in order needs no check.
        let other = try LabTestWorld()
        try await other.up()
        other.write("newer", by: 1)
        try await other.engine.stop(other.id)
        try await other.engine.start(other.id)
    }

    @Test("a volume only grows, the lab file then has to follow, and a return to before makes it small again")
    func grows() async throws {
        let test = try LabTestWorld()
        try await test.up()
        try await test.engine.stop(test.id)
        let smaller = await code {
            _ = try await test.engine.growVolume(lab: test.id.lab, test.volume, to: .mebibytes(64))
        }
        #expect(smaller == "volume.not-larger")
        _ = try await test.engine.growVolume(lab: test.id.lab, test.volume, to: .mebibytes(128))
        #expect(try test.record().spec.size == .mebibytes(128))
        let error = await #expect(throws: KilnError.self) { try await test.up() }
        #expect(error?.code == .volumeDiffers && error?.hint?.contains("size: 128MiB") == true)
        _ = try await test.engine.restoreVolume(lab: test.id.lab, test.volume, to: "before-grow-1")
        #expect(try test.record().spec.size == .mebibytes(64))
        try await test.up()
    }

    @Test("an exported volume is imported with its content, and a taken name makes nothing")
    func transfer() async throws {
        let test = try LabTestWorld()
        try await test.up()
        test.write("line", by: 1)
        let file = test.world.root + "/export"
        let said = try await test.engine.exportVolume(lab: test.id.lab, test.volume, to: file, as: .raw)
        #expect(said == .quiesced)
        let store = test.engine.volumes
        let imported = try await store.importVolume(file, lab: test.id.lab, name: try Name("again"))
        let record = imported.volume
        #expect(imported.remark?.contains("'cloudimg-rootfs', and is now labelled 'kiln:again'") == true)
        #expect(record.spec.size == .mebibytes(64))
        #expect(try test.world.written(lab: test.id.lab, volume: record.name) == ["line"])
        let before = try test.files()
        #expect(
            await code { _ = try await store.importVolume(file, lab: test.id.lab, name: record.name) }
                == "volume.exists"
        )
        #expect(try test.files() == before)
    }

    @Test("a layer that is missing, a link or not what it was stops everything, with its place in the chain")
    func damagedLayers() async throws {
        let test = try LabTestWorld()
        try await test.up()
        try await test.engine.stop(test.id)
        for name in ["a", "b"] {
            _ = try await test.engine.snapshotVolume(lab: test.id.lab, test.volume, as: try Name(name))
        }
        let layers = try test.record().layers
        let middle = "\(test.world.state.volume(lab: test.id.lab, test.volume))/\(layers[1])"
        let content = try String(contentsOfFile: middle, encoding: .utf8)
        let damages: [() throws -> Void] = [
            {}, { symlink("/etc/passwd", middle) }, { try Data("junk".utf8).write(to: URL(fileURLWithPath: middle)) },
            { try Data("over /etc/shadow\t9\n".utf8).write(to: URL(fileURLWithPath: middle)) },
        ]
        for damage in damages {
            try FileManager.default.removeItem(atPath: middle)
            try damage()
            let files = try test.files()
            let verbs: [() async throws -> Void] = [
                { _ = try await test.engine.snapshotVolume(lab: test.id.lab, test.volume) },
                { _ = try await test.engine.cloneVolume(lab: test.id.lab, test.volume, as: try Name("copy")) },
                { _ = try await test.engine.restoreVolume(lab: test.id.lab, test.volume, to: "a") },
                { _ = try await test.engine.checkVolume(lab: test.id.lab, test.volume) },
                { _ = try await test.engine.growVolume(lab: test.id.lab, test.volume, to: .mebibytes(128)) },
                { try await test.engine.start(test.id) },
            ]
            for verb in verbs {
                let error = await #expect(throws: KilnError.self) { try await verb() }
                #expect(error?.code == .volumeDamaged && error?.exit == .halted)
                #expect(error?.message.contains("layer 2 of \(layers.count)") == true)
            }
            #expect(try test.files() == files)
            try DurableFile.remove(middle)
            try Data(content.utf8).write(to: URL(fileURLWithPath: middle))
        }
        try await test.engine.start(test.id)
    }

    @Test("a record of an older Kiln is read, its replacements' seals are snapshots; a torn one is refused")
    func records() async throws {
        let test = try LabTestWorld()
        try await test.up()
        try await test.engine.stop(test.id)
        let store = test.engine.volumes
        try await store.seal(lab: test.id.lab, test.volume, mark: "before-2-abcdef01")
        let path = test.world.state.volume(lab: test.id.lab, test.volume) + "/volume.json"
        let data = try Data(contentsOf: URL(fileURLWithPath: path))
        var fields = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        for field in ["snapshots", "isUnclean"] { fields[field] = nil }
        try JSONSerialization.data(withJSONObject: fields).write(to: URL(fileURLWithPath: path))
        let (old, layers) = (try #require(try test.record().snapshots.last), try test.record().layers)
        #expect(old.name.text == "before-2-abcdef01" && old.kind == .replacement && old.layer == layers.dropLast().last)
        #expect(try !test.record().isUnclean)
        fields["layers"] = ["../../x.qcow2"]
        try JSONSerialization.data(withJSONObject: fields).write(to: URL(fileURLWithPath: path))
        #expect(await code { _ = try test.record() } == "state.unreadable")
        try data.prefix(data.count / 2).write(to: URL(fileURLWithPath: path))
        #expect(store.readableList().volumes.isEmpty && store.readableList().damaged.count == 1)
        #expect(await code { try await store.markUnclean(lab: test.id.lab, name: test.volume) } == "state.unreadable")
    }

    @Test("an unknown volume, snapshot or retained volume is answered with the nearest name")
    func unknownNames() async throws {
        let test = try LabTestWorld()
        try await test.up()
        _ = try await test.engine.snapshotVolume(lab: test.id.lab, test.volume, as: try Name("monday"))
        let store = test.engine.volumes
        let snapshot = await #expect(throws: KilnError.self) {
            try await store.removeSnapshot(lab: test.id.lab, test.volume, "mondya")
        }
        #expect(snapshot?.code == .volumeSnapshotMissing && snapshot?.message.contains("'monday'") == true)
        let volume = #expect(throws: KilnError.self) { try store.existing(lab: test.id.lab, try Name("dat")) }
        #expect(volume?.code == .volumeMissing && volume?.message.contains("'lab/data'") == true)
        #expect(await code { _ = try store.undelete("../volumes/lab/data") } == "volume.missing")
        #expect(await code { try store.purge("..") } == "volume.missing")
        let taken = await code {
            _ = try await test.engine.snapshotVolume(lab: test.id.lab, test.volume, as: try Name("monday"))
        }
        #expect(taken == "volume.snapshot-exists")
        _ = try await store.removeSnapshot(lab: test.id.lab, test.volume, "monday")
        #expect(try !test.record().snapshots.contains { $0.kind == .named })
    }
}
