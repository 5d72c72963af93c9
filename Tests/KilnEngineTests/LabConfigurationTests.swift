import Foundation
import KilnEngine
import KilnModel
import KilnStore
import KilnTestSupport
import Testing

@Suite("Configurations that are changed, and channels that move", .timeLimit(.minutes(3)))
struct LabConfigurationTests {
    private let world: LabTestWorld

    init() throws {
        world = try LabTestWorld()
        for version in ["1", "2"] { world.world.images.attest(version) }
    }

    private func code(_ work: () async throws -> Void) async -> ErrorCode? {
        do {
            try await work()
            return nil
        } catch { return (error as? KilnError)?.code }
    }

    /// Declares the server in a lab of attested images.
    @discardableResult
    private func up(_ image: String = "tiny:1", memory: ByteCount? = nil, verify: [Check] = []) async throws
        -> ServerStatus
    {
        var spec = try world.spec(image)
        (spec.memory, spec.verify) = (memory, verify)
        let lab = LabSpec(
            name: world.id.lab,
            volumes: [world.volume: VolumeSpec(size: .mebibytes(64))],
            servers: [world.id.server: spec],
            images: .attested
        )
        return try #require(try await world.engine.up(lab).first)
    }

    private func remarks() async throws -> [String]? {
        try await world.engine.statuses().first?.standing?.remarks
    }

    @Test("a first machine is its own rehearsal: it passes, and nothing is remarked")
    func launch() async throws {
        #expect(try await up().standing?.remarks == [])
        #expect(world.world.images.notedPasses.map(\.basis) == [.launch])
    }

    @Test("a changed configuration is refused where only what is attested is taken, until it was rehearsed")
    func refused() async throws {
        try await up()
        try await up(memory: .mebibytes(512))
        let error = await #expect(throws: KilnError.self) { try await world.engine.replace(world.id) }
        #expect(error?.code == .imageConfigurationUntested && error?.exit == .aborted)
        #expect(error?.hint?.contains("--rehearse") == true)
        #expect(await code { _ = try await world.engine.planReplacement(world.id) } == .imageConfigurationUntested)
        #expect(world.world.hypervisor.alive == [world.machine(1)])
        let rehearsed = ReplaceOptions(rehearsesFirst: true)
        _ = try await world.engine.planReplacement(world.id, rehearsed)
        let report = try await world.engine.replace(world.id, rehearsed)
        #expect(report.outcome == .committed && report.standing?.remarks == [])
        #expect(world.world.images.notedPasses.map(\.basis) == [.launch, .rehearsal])
        // What passed once needs no second rehearsal.
        #expect(try await world.engine.replace(world.id).outcome == .committed)
    }

    @Test("a rehearsal that fails leaves the configuration untested")
    func failed() async throws {
        try await up()
        try world.world.images.add("3", GuestBehaviour(.cloudInitFails))
        world.world.images.attest("3")
        try await up("tiny:3", memory: .mebibytes(512))
        let rehearsed = ReplaceOptions(rehearsesFirst: true)
        #expect(await code { _ = try await world.engine.replace(world.id, rehearsed) } == .rehearsalFailed)
        #expect(await code { _ = try await world.engine.replace(world.id) } == .imageConfigurationUntested)
        #expect(world.world.images.notedPasses.map(\.basis) == [.launch])
    }

    @Test("where the image alone is changed its own tests have spoken, and the way back is never refused")
    func imageAlone() async throws {
        try await up()
        try await up("tiny:2")
        #expect(try await world.engine.replace(world.id).standing?.configuration == .elsewhere)
        #expect(try await remarks() == [])
        try await up("tiny:2", memory: .mebibytes(512))
        #expect(try await world.engine.rollback(world.id).outcome == .committed)
    }

    @Test("elsewhere a changed configuration is taken and remarked, and a passed verify makes it one that passed")
    func untested() async throws {
        try await world.up()
        var spec = try world.spec()
        spec.memory = .mebibytes(512)
        try await world.up(spec)
        let report = try await world.engine.replace(world.id)
        #expect(report.outcome == .committed && report.standing?.remarks == ["configuration untested"])
        #expect(try await remarks() == ["configuration untested"])
        spec.verify = [Check(.agent)]
        try await world.up(spec)
        #expect(try await world.engine.replace(world.id).standing?.remarks == [])
        #expect(try await remarks() == [])
        #expect(world.world.images.notedPasses.map(\.basis) == [.launch, .verify])
    }

    @Test("an image that is untested or revoked is remarked by 'up', 'ps' and the report of a replacement")
    func image() async throws {
        try world.world.images.add("3")
        #expect(try await world.up(try world.spec("tiny:3")).standing?.remarks == ["untested"])
        #expect(try await world.replace("tiny:2").standing?.remarks == [])
        world.world.images.revoke("2")
        #expect(try await remarks() == ["revoked"])
        #expect(try await world.engine.status(world.id).standing?.revoked == "it was revoked")
    }

    @Test("a channel that moved makes a server due, changes none, and one that points to nothing usable does not")
    func channel() async throws {
        let stable = try Name("stable")
        world.world.images.point(stable, to: "1")
        #expect(try await world.up(try world.spec("tiny@stable")).moved == nil)
        world.world.images.point(stable, to: "2")
        let due = try #require(try await world.engine.statuses().first)
        let reference = try ImageReference("tiny@stable")
        #expect(due.isDue && due.moved?.channel == reference)
        #expect(due.moved?.image.version == "2")
        #expect(world.world.hypervisor.alive == [world.machine(1)])
        world.world.images.revoke("2")
        #expect(try await world.engine.status(world.id).moved == nil)
        world.world.images.revoke("2", false)
        world.world.images.point(stable, to: "none")
        let status = try await world.engine.status(world.id)
        #expect(status.moved == nil && !status.isDue && status.problem == nil)
        world.world.images.point(stable, to: "2")
        #expect(try await world.engine.replace(world.id).outcome == .committed)
        #expect(try await world.engine.status(world.id).moved == nil)
    }

    @Test("details tell what is set, where generations and neighbours differ, and no value that may be secret")
    func details() async throws {
        var spec = try world.spec()
        spec.userData = .object([
            "write_files": .array([.object(["path": .string("/etc/key"), "content": .string("hunter2")])])
        ])
        let other = try Name("other")
        let neighbour = ServerSpec(image: try ImageReference("tiny:1"), memory: .mebibytes(512), ready: [Check(.agent)])
        let lab = try world.lab([world.id.server: spec, other: neighbour])
        _ = try await world.engine.up(lab)
        #expect(try await world.replace("tiny:2").outcome == .committed)
        var details = try await world.engine.details(world.id)
        #expect(details.configuration.userDataKeys == ["write_files"] && details.configuration.files == ["/etc/key"])
        #expect(details.configuration.fromImage.contains("memory"))
        #expect(details.generations.map(\.differs) == [nil, ["image"]])
        #expect(details.siblings.isEmpty)
        #expect(!String(decoding: try JSONEncoder().encode(details), as: UTF8.self).contains("hunter2"))
        #expect(try await world.replace("tiny:1").outcome == .committed)
        details = try await world.engine.details(world.id)
        #expect(details.siblings.map(\.server.server) == [other])
        #expect(details.siblings.first?.differs.contains("memory") == true)
    }
}
