import Foundation
import KilnEngine
import KilnModel
import KilnTestSupport
import Testing

@Suite("Images that are revoked or not attested", .timeLimit(.minutes(3)))
struct LabImagePolicyTests {
    private func code(_ work: () async throws -> Void) async -> ErrorCode? {
        do {
            try await work()
            return nil
        } catch { return (error as? KilnError)?.code }
    }

    private func attestedLab(_ world: LabTestWorld, _ image: String = "tiny:1") throws -> LabSpec {
        LabSpec(
            name: world.id.lab,
            volumes: [world.volume: VolumeSpec(size: .mebibytes(64))],
            servers: [world.id.server: try world.spec(image)],
            images: .attested
        )
    }

    @Test("a revoked image makes no first generation, and nothing is left of the attempt")
    func launch() async throws {
        let world = try LabTestWorld()
        world.world.images.revoke("1")
        #expect(await code { try await world.up() } == .imageRevoked)
        #expect(try world.files().isEmpty)
    }

    @Test("a replacement by a revoked image is refused, planned or done, and the server serves on")
    func replacement() async throws {
        let world = try LabTestWorld()
        try await world.up()
        world.world.images.revoke("2")
        let error = await #expect(throws: KilnError.self) { try await world.replace("tiny:2") }
        #expect(error?.code == .imageRevoked && error?.exit == .aborted)
        let options = ReplaceOptions(image: try ImageReference("tiny:2"), rehearsesFirst: true)
        #expect(await code { _ = try await world.engine.replace(world.id, options) } == .imageRevoked)
        #expect(await code { _ = try await world.engine.planReplacement(world.id, options) } == .imageRevoked)
        #expect(world.world.hypervisor.alive == [world.machine(1)])
        #expect(try world.engine.history(world.id).operations.count == 1)
    }

    @Test("what serves goes on, starts again and comes up again, whatever is said of its image by then")
    func existing() async throws {
        let world = try LabTestWorld()
        try await world.up()
        world.world.images.revoke("1")
        try await world.up()
        try await world.engine.stop(world.id)
        try await world.engine.start(world.id)
        try await world.engine.stop(world.id)
        try await world.up()
        _ = try await world.engine.plan(try world.lab())
        #expect(world.world.hypervisor.alive == [world.machine(1)])
    }

    @Test("the way back from a generation that fails is never refused for the image that served before")
    func wayBack() async throws {
        let world = try LabTestWorld(["1": GuestBehaviour(), "2": GuestBehaviour(.cloudInitFails)])
        try await world.up()
        world.world.images.revoke("1")
        #expect(try await world.replace("tiny:2").outcome == .reverted)
        #expect(world.world.hypervisor.alive == [world.machine(1)])
    }

    @Test("a recovery finishes or takes back what a killed command began, whatever is said of the images by then")
    func recovery() async throws {
        let world = try LabTestWorld()
        try await world.up()
        let gone = KilnError(.hypervisorUnreachable, "gone", exit: .unreachable)
        world.world.faults.fail("awaitAgent", with: gone)
        await #expect(throws: KilnError.self) { try await world.replace("tiny:2") }
        for version in ["1", "2"] { world.world.images.revoke(version) }
        world.world.faults.fail("awaitAgent", with: nil)
        #expect(try await world.engine.recover(world.id) != nil)
        #expect(world.world.hypervisor.alive.count == 1)
    }

    @Test("a rollback goes to what served before, revoked or not, and says so; a replacement by the same is refused")
    func rollback() async throws {
        let world = try LabTestWorld()
        try await world.up()
        #expect(try await world.replace("tiny:2").outcome == .committed)
        world.world.images.revoke("1")
        #expect(await code { _ = try await world.replace("tiny:1") } == .imageRevoked)
        let report = try await world.engine.rollback(world.id)
        #expect(report.outcome == .committed && report.standing?.revoked != nil)
        #expect(report.standing?.remarks.contains("revoked") == true)
    }

    @Test(
        "a rollback in a lab of attested images takes what served, though its tests don't count any more; a rehearsal, too"
    )
    func rollbackUntested() async throws {
        let world = try LabTestWorld()
        for version in ["1", "2"] { world.world.images.attest(version) }
        _ = try await world.engine.up(try attestedLab(world))
        #expect(try await world.replace("tiny:2").outcome == .committed)
        world.world.images.attest("1", false)
        world.world.images.revoke("1")
        var options = ReplaceOptions()
        options.rehearsesFirst = true
        let report = try await world.engine.rollback(world.id, options)
        #expect(report.outcome == .committed && report.standing?.isAttested == false)
    }

    @Test("a lab of attested images takes no other for a new generation, and leaves what runs")
    func attested() async throws {
        let world = try LabTestWorld()
        #expect(await code { _ = try await world.engine.up(try attestedLab(world)) } == .imageNotAttested)
        world.world.images.attest("1")
        _ = try await world.engine.up(try attestedLab(world))
        #expect(await code { _ = try await world.replace("tiny:2") } == .imageNotAttested)
        _ = try await world.engine.up(try attestedLab(world, "tiny:2"))
        #expect(world.world.hypervisor.alive == [world.machine(1)])
        world.world.images.attest("2")
        #expect(try await world.replace("tiny:2").outcome == .committed)
    }

    @Test("a channel is resolved when a generation is made, and its digest is written down")
    func channel() async throws {
        let world = try LabTestWorld()
        let stable = try Name("stable")
        world.world.images.point(stable, to: "1")
        let lab = try world.lab([world.id.server: try world.spec("tiny@stable")])
        _ = try await world.engine.up(lab)
        world.world.images.point(stable, to: "2")
        _ = try await world.engine.up(lab)
        let digests = try ["1", "2"].map { try ImageReference("tiny:\($0)") }
        var found: [ImageDigest] = []
        for reference in digests {
            found.append(try await world.world.images.verifiedImage(reference, for: .existing).manifest.digest)
        }
        #expect(try world.engine.record(world.id).image.digest == found[0])
        #expect(try await world.engine.replace(world.id).outcome == .committed)
        #expect(try world.engine.record(world.id).image.digest == found[1])
    }

    @Test("a lab that an older Kiln wrote takes any image")
    func older() throws {
        let world = try LabTestWorld()
        var fields = try #require(
            try JSONSerialization.jsonObject(with: JSONEncoder().encode(attestedLab(world))) as? [String: Any]
        )
        #expect(fields["images"] as? String == "attested")
        fields["images"] = nil
        let data = try JSONSerialization.data(withJSONObject: fields)
        #expect(try JSONDecoder().decode(LabSpec.self, from: data) == (try world.lab()))
    }
}
