import Foundation
import KilnModel
import KilnSystem
import KilnTestSupport
import Synchronization
import Testing

@testable import KilnEngine

/// Servers that declare `launch: flash`.
@Suite struct LabFlashTests {
    private let world: LabTestWorld

    init() throws {
        world = try LabTestWorld([:])
        try world.world.images.add("5", flash: true)
        try world.world.images.add("6", flash: true)
        try world.world.images.add("9")
    }

    private func spec(_ image: String = "tiny:5") throws -> ServerSpec {
        var spec = try world.spec(image)
        spec.launch = .flash
        return spec
    }

    private func launch(_ generation: Int = 1) -> LaunchRecord? {
        world.engine.workspace(world.id).launchRecord(world.machine(generation))
    }

    private var templates: TemplateStore { TemplateStore(state: world.world.state, parts: world.world.parts()) }

    /// Makes a template by a launch, whose lab is gone afterwards.
    private func makeTemplate() async throws {
        try await world.up(try spec())
        try await world.engine.down(world.id.lab)
        #expect(templates.all().count == 1)
    }

    @Test("the first machine boots, and leaves a template; the next one of the same kind is cloned from it, and serves")
    func clone() async throws {
        let first = try await world.up(try spec())
        #expect(first.isCloned == nil)
        #expect(launch()?.way == .booted && launch()?.reason?.contains("no template yet") == true)
        #expect(world.world.hypervisor.alive == [world.machine(1)])
        try await world.engine.down(world.id.lab)

        let second = try await world.up(try spec())
        #expect(second.isCloned == true && second.state == .running)
        #expect(launch() == LaunchRecord(.cloned, template: templates.all().first?.key.text))
        #expect(world.world.hypervisor.clones == [world.machine(1)])
        #expect(world.world.hypervisor.boots(world.machine(1)) == 2)
        #expect(world.world.hypervisor.violations.isEmpty)
        // It writes to a volume as any other, and its root needs nothing of the template.
        world.write("a", by: 1)
        #expect(try world.written() == ["a"])
        #expect(try world.engine.removeTemplates(of: [try #require(second.image).digest]) == 1)
        #expect(try FakeDisks.written(world.world.state.rootOverlay(world.machine(1))).contains("held"))
    }

    @Test("a clone that is started again has booted, and nothing says of it any more that it has not")
    func bootsLater() async throws {
        try await makeTemplate()
        try await world.up(try spec())
        try await world.engine.stop(world.id)
        try await world.engine.start(world.id)
        #expect(try await world.engine.status(world.id).isCloned == nil)
        #expect(world.world.hypervisor.clones.count == 1)
        // How its generation came to run stays what it was.
        #expect(launch()?.way == .cloned)
    }

    @Test("a replacement boots, whatever the lab declares, and is cloned where that is asked for")
    func replacement() async throws {
        try await makeTemplate()
        try await world.up(try spec())
        let booted = try await world.engine.replace(world.id)
        #expect(booted.outcome == .committed && booted.launch == nil)
        let cloned = try await world.engine.replace(world.id, ReplaceOptions(launch: .flash))
        #expect(cloned.outcome == .committed && cloned.launch?.way == .cloned)
        #expect(world.world.hypervisor.clones == [world.machine(1), world.machine(3)])
        #expect(
            try world.engine.launches(of: world.id).mapValues(\.way) == [
                Generation(1): .cloned, Generation(3): .cloned,
            ]
        )
        // What was declared is what it was, so nothing is due.
        #expect(try await world.engine.plan(try world.lab([world.id.server: spec()])).servers.map(\.kind) == [.nothing])
    }

    @Test("an image whose boot can't be held boots, which is said, and no template is made of it")
    func noHold() async throws {
        let status = try await world.up(try spec("tiny:9"))
        #expect(status.state == .running && status.isCloned == nil)
        #expect(launch()?.way == .booted && launch()?.reason?.contains("flash: true") == true)
        #expect(templates.all().isEmpty)
        #expect(notes.contains { $0.contains("boots, and is not cloned") })
    }

    private var notes: [String] {
        world.world.progress.compactMap { if case .note(let text) = $0 { text } else { nil } }
    }

    @Test(
        "a template of which a file was changed is removed, and the machine boots; the next template is whole",
        arguments: ["memory", "devices", "root.qcow2"]
    )
    func changed(_ file: String) async throws {
        try await makeTemplate()
        let path = try #require(templates.all().first.map { templates.folder($0.key) + "/" + file })
        chmod(path, 0o600)
        try Data("something else".utf8).write(to: URL(fileURLWithPath: path))
        let status = try await world.up(try spec())
        #expect(status.state == .running && status.isCloned == nil)
        #expect(launch()?.reason?.contains("was changed since it was made") == true)
        #expect(world.world.hypervisor.clones.isEmpty)
        try await world.engine.down(world.id.lab)
        #expect(try await world.up(try spec()).isCloned == true)
    }

    @Test("a template whose files were only touched is used: what is in them counts")
    func touched() async throws {
        try await makeTemplate()
        let path = try #require(templates.all().first.map { templates.folder($0.key) + "/memory" })
        try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSince1970: 1)], ofItemAtPath: path)
        #expect(try await world.up(try spec()).isCloned == true)
    }

    @Test("with another hypervisor no clone is made of an older one's template, which gc removes")
    func otherHypervisor() async throws {
        try await makeTemplate()
        world.world.hypervisor.setTemplateGround("QEMU of another build")
        #expect(try await world.up(try spec()).isCloned == nil)
        #expect(templates.all().count == 2)
        #expect(try await world.engine.collectGarbage().contains { $0.contains("/templates/") })
        #expect(templates.all().map(\.record.ground) == ["QEMU of another build"])
    }

    @Test("a machine that can't be cloned boots from a root on which the template wrote nothing")
    func failedClone() async throws {
        try await makeTemplate()
        world.world.faults.fail("clone", with: KilnError(.templateFailed, "no memory is left", exit: .aborted))
        let status = try await world.up(try spec())
        #expect(status.state == .running && status.isCloned == nil)
        #expect(launch()?.reason == "no memory is left")
        #expect(try !FakeDisks.written(world.world.state.rootOverlay(world.machine(1))).contains("held"))
        #expect(world.world.hypervisor.violations.isEmpty)
    }

    @Test(
        "the template stays where a clone fails by what the host lacks: others are made of it; what was wrong is told"
    )
    func failedByHost() async throws {
        try await makeTemplate()
        let before = templates.all().map(\.record.stamps)
        let cause = "cannot set up guest memory: no memory\nis left"
        world.world.faults.fail(
            "clone",
            with: KilnError(.launchFailed, "it did not start", cause: cause, exit: .aborted)
        )
        #expect(try await world.up(try spec()).isCloned == nil)
        #expect(launch()?.reason == "it did not start: cannot set up guest memory: no memory\u{fffd}is left")
        world.world.faults.fail("clone", with: nil)
        try await world.engine.down(world.id.lab)
        #expect(try await world.up(try spec()).isCloned == true)
        #expect(before.count == 1 && templates.all().map(\.record.stamps) == before)
    }

    @Test("a file of a template that is gone is named")
    func goneFile() async throws {
        try await makeTemplate()
        let path = try #require(templates.all().first.map { templates.folder($0.key) + "/root.qcow2" })
        try FileManager.default.removeItem(atPath: path)
        #expect(try await world.up(try spec()).isCloned == nil)
        #expect(
            launch()?.reason?.contains("the template's root was changed") == true,
            "\(launch()?.reason ?? "")"
        )
    }

    @Test("an 'up' of a lab that runs makes the template that is missing, and touches no machine")
    func missing() async throws {
        try await world.up(try spec())
        #expect(try world.engine.removeTemplates(of: Set(templates.all().map(\.record.image.digest))) == 1)
        try await world.up(try spec())
        #expect(templates.all().count == 1 && world.world.hypervisor.starts(world.machine(1)) == 1)
    }

    @Test("a server of another size, or with other mount points, is not cloned from this template")
    func otherShape() async throws {
        try await makeTemplate()
        var larger = try spec()
        larger.memory = .mebibytes(512)
        #expect(try await world.up(larger).isCloned == nil)
        try await world.engine.down(world.id.lab)
        var elsewhere = try spec()
        elsewhere.volumes = [world.volume: "/other"]
        #expect(try await world.up(elsewhere).isCloned == nil)
    }

    @Test("no template is made of an image that is revoked meanwhile, and gc removes one of an image that was")
    func revoked() async throws {
        let images = world.world.images
        world.world.faults.before("saveTemplate") { images.revoke("5") }
        #expect(try await world.up(try spec()).state == .running)
        #expect(templates.names.filter { !$0.hasSuffix(".lock") }.isEmpty)
        #expect(world.world.hypervisor.alive == [world.machine(1)])
        world.world.faults.before("saveTemplate", nil)
        images.revoke("5", false)
        #expect(try await world.engine.makeTemplate(for: world.id))
        images.revoke("5")
        _ = try await world.engine.collectGarbage()
        #expect(templates.names.isEmpty)
    }

    @Test("a machine that is never held leaves no template and no machine, and the lab is up all the same")
    func neverHeld() async throws {
        let images = world.world.images
        let hypervisor = world.world.hypervisor
        world.world.faults.before("startTemplate") {
            hypervisor.setBehaviour(GuestBehaviour(.panics), ofImage: images.disk("5"))
        }
        #expect(try await world.up(try spec()).state == .running)
        #expect(hypervisor.alive == [world.machine(1)])
        #expect(templates.names.filter { !$0.hasSuffix(".lock") }.isEmpty)
        #expect(notes.contains { $0.contains("no template of") })
    }

    @Test("a template that several members would be cloned from is tried once where it can't be made")
    func triedOnce() async throws {
        let tries = Mutex(0)
        world.world.faults.before("startTemplate") { tries.withLock { $0 += 1 } }
        world.world.faults.fail("startTemplate", with: KilnError(.templateFailed, "it does not start", exit: .aborted))
        var spec = try spec()
        spec.fleet = FleetSpec(replicas: 3)
        try await world.up(spec)
        #expect(tries.withLock { $0 } == 1)
        #expect(notes.filter { $0.contains("no template of") }.count == 1)
    }

    @Test(
        "wherever a command dies or fails that makes a template or a clone, the next one serves, and gc leaves nothing"
    )
    func everyCall() async throws {
        for kind in [Faults.Kind.crashBefore, .crashAfter, .failBefore, .failAfter] {
            for makesTemplate in [true, false] {
                var call = 1
                while try await die(kind, at: call, makesTemplate) { call += 1 }
                #expect(call > 5)
            }
        }
    }

    // Whether anything went wrong: there are no more calls than that.
    private func die(_ kind: Faults.Kind, at call: Int, _ makesTemplate: Bool) async throws -> Bool {
        let world = try LabTestWorld([:])
        try world.world.images.add("5", flash: true)
        let lab = try world.lab([world.id.server: spec()])
        if !makesTemplate {
            _ = try await world.engine.up(lab)
            try await world.engine.down(world.id.lab)
        }
        world.world.faults.arm(kind, at: call)
        _ = try? await world.engine.up(lab)
        guard let fired = world.world.faults.disarm() else { return false }
        try world.world.reviveAfterCrash()
        let comment = Comment(rawValue: "\(kind) \(call), \(fired)")
        let status = try await world.engine.up(lab).first
        #expect(status?.state == .running, comment)
        let (hypervisor, machine) = (
            world.world.hypervisor, try #require(status).id.machine(try #require(status?.generation))
        )
        #expect(hypervisor.alive.filter { $0.member == world.id } == [machine], comment)
        #expect(hypervisor.violations.isEmpty, comment)
        _ = try await world.engine.collectGarbage()
        #expect(hypervisor.alive == [machine], comment)
        let templates = TemplateStore(state: world.world.state, parts: world.world.parts())
        #expect(templates.names.allSatisfy { !$0.hasSuffix(".making") }, comment)
        return true
    }
}
