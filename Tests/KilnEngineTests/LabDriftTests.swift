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

    private func set(
        _ paths: [String],
        files: [String] = [],
        on world: LabTestWorld,
        _ generation: Int = 1
    ) throws {
        var entries: [RootPath: RootEntry] = [:]
        for path in ["/"] + paths { entries[try #require(RootPath(path))] = Self.directory }
        for path in files { entries[try #require(RootPath(path))] = Self.file }
        let listing = RootListing(entries: entries, packages: [:])
        world.world.roots.set(listing, of: world.world.state.rootOverlay(world.machine(generation)))
    }

    private static let file = RootEntry(
        kind: .file,
        mode: 0o644,
        user: 0,
        group: 0,
        size: 1,
        value: String(repeating: "a", count: 64)
    )

    @Test("a running guest is frozen for the copy, and thawed; the mount point of its volume is no drift")
    func running() async throws {
        let world = try listed()
        try await world.up()
        try set(["/data", "/data/x", "/odd"], on: world)
        let report = try await world.engine.drift(world.id)
        #expect(report.added.map(\.text) == ["/odd"] && report.isDrifted && report.observable)
        #expect(report.hidden.map(\.text) == ["/data/x"])
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
        world.world.faults.fail("freeze", with: KilnError(.guestAgentSilent, "silent", exit: .deadline))
        #expect(try await world.engine.drift(world.id).consistency == .writeback)
    }

    @Test("a copy that fails leaves no guest frozen and no copy behind")
    func failed() async throws {
        let world = try listed()
        try await world.up()
        world.world.faults.fail("copyRoot", with: KilnError(.diskFull, "full"))
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
        world.world.faults.fail("copyRoot", with: KilnError(.diskFull, "full"))
        for image in ["tiny:2", "tiny:1"] { _ = try await world.replace(image) }
        await #expect { try await world.engine.drift(world.id, generation: Generation(1)) } throws: {
            ($0 as? KilnError)?.code == .driftRootMissing
        }
    }

    @Test("a generation that never was is told from one whose root is gone")
    func never() async throws {
        let world = try listed()
        try await world.up()
        let error = try await #require(throws: KilnError.self) {
            try await world.engine.drift(world.id, generation: Generation(9))
        }
        #expect(error.code == .generationMissing && error.exit == .usage && error.message.contains("only 1"))
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

    @Test(
        "data that a volume hid is named by the report and the history, and its root stays whatever 'keep-roots' says"
    )
    func hiddenAtEnd() async throws {
        let world = try listed()
        var spec = try world.spec()
        spec.keepRoots = 0
        try await world.up(spec)
        try set(["/data"], files: ["/data/lost"], on: world)
        let report = try await world.replace("tiny:2")
        #expect(report.outcome == .committed)
        #expect(report.reason?.contains("/data/lost") == true, "\(report)")
        #expect(report.reason?.contains("'kiln cp lab/web@1:/data/lost FILE'") == true)
        #expect(try world.engine.history(world.id).operations.last?.replacement.reason == report.reason)
        _ = try await world.replace("tiny:1")
        #expect(try await world.engine.collectGarbage().isEmpty)
        let roots = (1...3).filter { world.exists(world.world.state.rootOverlay(world.machine($0))) }
        #expect(roots == [1, 3])
        let content = try await world.engine.read("/data/lost", onRootOf: world.id, Generation(1))
        #expect(content == Array("/data/lost".utf8) && world.world.roots.remaining == 0)
        let error = try await #require(throws: KilnError.self) {
            try await world.engine.read("/data/other", onRootOf: world.id, Generation(1))
        }
        #expect(error.code == .rootNoFile && world.world.roots.remaining == 0)
    }

    @Test("so is that of a new machine that is taken back, also of the first of all", arguments: [false, true])
    func hiddenAtRevert(isFirst: Bool) async throws {
        let world = try LabTestWorld(["1": GuestBehaviour(), "2": GuestBehaviour(.cloudInitFails)])
        try world.world.images.list("2", world.world.root + "/paths")
        let generation = isFirst ? 1 : 2
        try set(["/data"], files: ["/data/lost"], on: world, generation)
        var spec = try world.spec(isFirst ? "tiny:2" : "tiny:1")
        spec.keepRoots = 0
        let reason: String
        if isFirst {
            reason = try await #require(throws: KilnError.self) { try await world.up(spec) }.message
        } else {
            try await world.up(spec)
            let report = try await world.replace("tiny:2")
            #expect(report.outcome == .reverted && report.why == report.reason)
            #expect(try world.engine.history(world.id).operations.last?.replacement.reason == report.reason)
            reason = report.reason ?? ""
        }
        #expect(reason.contains("generation \(generation) wrote below its mount points"), "\(reason)")
        #expect(reason.contains("'kiln cp lab/web@\(generation):/data/lost FILE'"), "\(reason)")
        #expect(try await world.engine.collectGarbage().isEmpty)
        #expect(world.exists(world.world.state.rootOverlay(world.machine(generation))))
        let content = try await world.engine.read("/data/lost", onRootOf: world.id, Generation(generation))
        #expect(content == Array("/data/lost".utf8))
        #expect(world.world.hypervisor.alive == (isFirst ? [] : [world.machine(1)]))
    }

    @Test(
        "a machine that is taken back without hidden data leaves nothing to say, and no more roots than 'keep-roots' says"
    )
    func nothingHiddenAtRevert() async throws {
        let world = try LabTestWorld(["1": GuestBehaviour(), "2": GuestBehaviour(.cloudInitFails)])
        try world.world.images.list("2", world.world.root + "/paths")
        var spec = try world.spec()
        spec.keepRoots = 0
        try await world.up(spec)
        let report = try await world.replace("tiny:2")
        #expect(report.outcome == .reverted && report.reason == report.turn?.reason)
        #expect(!world.exists(world.world.state.rootOverlay(world.machine(2))))
    }

    @Test("a root that can't be seen is said to be unseen")
    func unseenAtEnd() async throws {
        let world = try listed()
        try await world.up()
        world.world.faults.fail("copyRoot", with: KilnError(.diskFull, "the disk is full"))
        let reason = try await world.replace("tiny:2").reason
        #expect(reason?.contains("below its mount points is unknown: the disk is full") == true)
    }

    @Test(
        "where the lab file says so, data that a volume hides aborts before the volume moves on, and so does a root that can't be seen",
        arguments: [Strategy.stopFirst, .warmFirst],
        [true, false]
    )
    func hiddenAborts(_ strategy: Strategy, _ isSeen: Bool) async throws {
        let world = try listed()
        var spec = try world.spec()
        spec.hiddenData = .abort
        try await world.up(spec)
        if isSeen {
            try set(["/data"], files: ["/data/lost"], on: world)
        } else {
            world.world.faults.fail("copyRoot", with: KilnError(.driftNoFileSystem, "the disk is full"))
        }
        let report = try await world.replace("tiny:2", strategy)
        #expect(report.outcome == .aborted && report.turn?.step == .snapshot)
        #expect(report.turn?.code == (isSeen ? "replace.hidden-data" : "replace.root-unseen"))
        #expect(report.turn?.reason.contains(isSeen ? "/data/lost" : "the disk is full") == true)
        #expect(world.world.hypervisor.alive == [world.machine(1)] && world.world.roots.remaining == 0)
        #expect(try world.record().lease?.machine == world.machine(1))
        try set(["/data"], on: world)
        world.world.faults.fail("copyRoot", with: nil)
        #expect(try await world.replace("tiny:2", strategy).outcome == .committed)
    }

    @Test("a server with a larger disk than its image is looked at like any other, also for data that volumes hide")
    func largerDisk() async throws {
        let world = try LabTestWorld([:])
        for version in ["1", "2"] { try world.world.images.add(version, cloudInit: .full) }
        try world.world.images.list("1", world.world.root + "/paths")
        var spec = try world.spec()
        spec.disk = .mebibytes(128)
        spec.hiddenData = .abort
        try await world.up(spec)
        try set(["/data", "/odd"], on: world)
        #expect(try await world.engine.drift(world.id).added.map(\.text) == ["/odd"])
        #expect(try await world.engine.listing(ofRootOf: world.id).entries.count == 3)
        try set(["/data"], files: ["/data/lost"], on: world)
        #expect(try await world.replace("tiny:2").turn?.code == .replaceHiddenData)
        let content = try await world.engine.read("/data/lost", onRootOf: world.id, Generation(1))
        #expect(content == Array("/data/lost".utf8))
        try set(["/data"], on: world)
        #expect(try await world.replace("tiny:2").outcome == .committed)
        #expect(try await world.engine.drift(world.id, generation: Generation(1)).observable)
    }

    @Test("a report of an earlier version, which did not look below mount points, is read")
    func earlierReport() async throws {
        let world = try listed()
        try await world.up()
        _ = try await world.replace("tiny:2")
        let path = world.world.state.generation(world.machine(1)) + "/drift.json"
        var fields = try JSONDecoder().decode(
            [String: JSONValue].self,
            from: try Data(contentsOf: URL(fileURLWithPath: path))
        )
        fields["hidden"] = nil
        try JSONEncoder().encode(fields).write(to: URL(fileURLWithPath: path))
        #expect(try await world.engine.drift(world.id, generation: Generation(1)).hidden.isEmpty)
    }
}
