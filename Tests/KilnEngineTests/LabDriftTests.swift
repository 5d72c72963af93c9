import Foundation
import KilnEngine
import KilnModel
import KilnTestSupport
import Testing

@Suite("Drift of a server") struct LabDriftTests {
    private static let directory = RootEntry(kind: .directory, mode: 0o755, user: 0, group: 0)

    private func listed() throws -> LabTestWorld {
        let world = try LabTestWorld()
        try world.world.images.list("1", world.world.root + "/paths")
        return world
    }

    private func set(_ paths: [String], on world: LabTestWorld) throws {
        let entries = try (["/"] + paths).map { text in
            let path = try #require(RootPath(text))
            return (path, Self.directory)
        }
        let listing = RootListing(entries: Dictionary(uniqueKeysWithValues: entries), packages: [:])
        world.world.roots.set(listing, of: world.world.state.rootOverlay(world.machine(1)))
    }

    @Test("a running guest is frozen for the copy, and thawed; the mount point of its volume is no drift")
    func running() async throws {
        let world = try listed()
        try await world.up()
        try set(["/data", "/data/x", "/odd"], on: world)
        let report = try await world.engine.drift(world.id)
        #expect(report.added.map(\.text) == ["/odd"] && report.isDrifted && report.observable)
        #expect(report.consistency == .frozen && report.generation == Generation(1))
        #expect(world.world.guests.frozenMachines.isEmpty && world.world.roots.remaining == 0)
        #expect(try !world.files().contains { $0.hasSuffix("/frozen") })
    }

    @Test("a server that is off is looked at as it lies")
    func off() async throws {
        let world = try listed()
        try await world.up()
        try await world.engine.stop(world.id)
        let report = try await world.engine.drift(world.id)
        #expect(report.consistency == .off && !report.isDrifted)
    }

    @Test("a guest whose agent is silent is looked at all the same, and the report says so")
    func silent() async throws {
        let world = try listed()
        try await world.up()
        world.world.faults.fail("freeze", with: KilnError("guest.agent-silent", "silent", exit: .deadline))
        #expect(try await world.engine.drift(world.id).consistency == .writeback)
    }

    @Test("a copy that fails leaves no guest frozen and no copy behind")
    func failed() async throws {
        let world = try listed()
        try await world.up()
        world.world.faults.fail("copyRoot", with: KilnError("disk.full", "full"))
        await #expect(throws: KilnError.self) { try await world.engine.drift(world.id) }
        #expect(world.world.guests.frozenMachines.isEmpty && world.world.roots.remaining == 0)
    }

    @Test("a guest that a killed process left frozen is thawed by the next command")
    func leftover() async throws {
        let world = try listed()
        try await world.up()
        let mark = world.world.state.generation(world.machine(1)) + "/frozen"
        try await world.world.guests.freeze(world.machine(1), within: .seconds(1))
        try Data().write(to: URL(fileURLWithPath: mark))
        try await world.engine.stop(world.id)
        #expect(world.world.guests.frozenMachines.isEmpty && !world.exists(mark))
    }

    @Test("an image without a listing makes drift unobservable, not absent")
    func unlisted() async throws {
        let world = try LabTestWorld()
        try await world.up()
        let report = try await world.engine.drift(world.id)
        #expect(!report.observable && report.reason?.contains("kiln image bake tiny") == true)
    }

    @Test("of a generation that was replaced there is what was measured at its end, also once its root is gone")
    func measuredAtEnd() async throws {
        let world = try listed()
        try await world.up()
        try set(["/data", "/odd"], on: world)
        for image in ["tiny:2", "tiny:1"] { _ = try await world.replace(image) }
        let report = try await world.engine.drift(world.id, generation: Generation(1))
        #expect(report.generation == Generation(1) && report.added.map(\.text) == ["/odd"])
        #expect(report.consistency == .off)
    }

    @Test("a generation that was not measured at its end, and whose root is gone, is named")
    func gone() async throws {
        let world = try listed()
        try await world.up()
        world.world.faults.fail("copyRoot", with: KilnError("disk.full", "full"))
        for image in ["tiny:2", "tiny:1"] { _ = try await world.replace(image) }
        await #expect { try await world.engine.drift(world.id, generation: Generation(1)) } throws: {
            ($0 as? KilnError)?.code == "drift.root-missing"
        }
    }

    @Test("a generation that never was is told from one whose root is gone")
    func never() async throws {
        let world = try listed()
        try await world.up()
        let error = try await #require(throws: KilnError.self) {
            try await world.engine.drift(world.id, generation: Generation(9))
        }
        #expect(error.code == "generation.missing" && error.exit == .usage && error.message.contains("only 1"))
    }

    @Test("a volatile root keeps its seed for the next boot, and its drift can't be seen")
    func volatile() async throws {
        let world = try LabTestWorld()
        var spec = try world.spec("tiny:2")
        spec.root = .volatile
        _ = try await world.engine.up(try world.lab([world.id.server: spec]))
        #expect(world.exists(world.world.state.seed(world.machine(1))))
        let definition = try await world.world.hypervisor.definition(of: world.machine(1))
        #expect(definition?.contains("kiln.root=volatile") == true)
        let report = try await world.engine.drift(world.id)
        #expect(!report.observable && !report.isDrifted && report.reason?.contains("volatile") == true)
    }

    @Test("an image that can't forget its root is refused to a server that asks for it")
    func incapable() async throws {
        let world = try LabTestWorld()
        var spec = try world.spec("tiny:1")
        spec.root = .volatile
        let lab = try world.lab([world.id.server: spec])
        await #expect { try await world.engine.up(lab) } throws: {
            "\($0)".contains("volatile root")
        }
    }
}
