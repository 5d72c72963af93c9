import Foundation
import KilnEngine
import KilnModel
import KilnSystem
import KilnTestSupport
import Testing

@testable import KilnScenarios

@Suite("The lab of a run, on fakes")
struct RunLabTests {
    private let world: FakeWorld

    init() throws {
        world = try FakeWorld()
        try world.images.add("1")
    }

    private func lab(_ name: Name, port: UInt16? = nil) throws -> LabSpec {
        let web = try Name("web")
        var server = ServerSpec(image: try ImageReference("tiny:1"))
        server.volumes = [try Name("data"): "/data"]
        server.ports = [try Name("http"): PortSpec(guest: 80, host: port)]
        let data = VolumeSpec(size: .mebibytes(64))
        return LabSpec(name: name, volumes: [try Name("data"): data], servers: [web: server])
    }

    @Test("one scenario has two labs at the same time, whose names are names")
    func names() async throws {
        let engine = world.engine
        let long = try Name("a-" + String(repeating: "b", count: 37) + "c")
        let labs = [try await RunLab.make(for: long, engine: engine), try await RunLab.make(for: long, engine: engine)]
        #expect(labs[0].name != labs[1].name)
        #expect(labs.allSatisfy { $0.name.text.hasPrefix("a-bbbbbbbb") && $0.name.text.count <= Name.longest })
        #expect(engine.scenario(ofRun: labs[0].name) == long)
        for lab in labs { try await lab.remove(purging: true) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: world.state.runs).isEmpty)
    }

    @Test("a killed run's machines are removed by gc, its volumes retained, and a living one is left alone")
    func killed() async throws {
        let engine = world.engine
        let living = try await RunLab.make(for: try Name("living"), engine: engine)
        _ = try await engine.up(try lab(living.name))
        // The lock goes with the process; so does that of a lab which nobody holds any more.
        let name = try await {
            let killed = try await RunLab.make(for: try Name("killed"), engine: engine)
            _ = try await engine.up(try lab(killed.name))
            return killed.name
        }()
        #expect(world.hypervisor.alive.count == 2)
        #expect(try await engine.collectGarbage(dryRun: true).contains("run \(name), its volumes retained"))
        #expect(world.hypervisor.alive.count == 2)
        #expect(try await engine.collectGarbage().contains("run \(name), its volumes retained"))
        #expect(world.hypervisor.alive.map(\.member.lab) == [living.name])
        let kept = try engine.volumes.retainedVolumes()
        #expect(kept.count == 1 && kept.allSatisfy { $0.record?.isOfRun == true && $0.record?.lab == name })
        try await living.remove(purging: true)
    }

    @Test("the next run removes what a killed one left, also a volume that it was making")
    func next() async throws {
        let engine = world.engine
        try await {
            let killed = try await RunLab.make(for: try Name("killed"), engine: engine)
            _ = try await engine.up(try lab(killed.name))
            try DurableFile.makeDirectory("\(world.state.volumes)/\(killed.name)/.new-more")
        }()
        let run = try await RunLab.make(for: try Name("next"), engine: engine)
        #expect(world.hypervisor.alive.isEmpty)
        #expect(try engine.volumes.retained().count == 1)
        #expect(try FileManager.default.contentsOfDirectory(atPath: world.state.volumes).isEmpty)
        try await run.remove(purging: true)
    }

    @Test("a lab that is kept is nobody's business until its user takes it down")
    func kept() async throws {
        let engine = world.engine
        let name = try await {
            let kept = try await RunLab.make(for: try Name("kept"), engine: engine)
            _ = try await engine.up(try lab(kept.name))
            try kept.keep()
            return kept.name
        }()
        #expect(try await engine.removeAbandonedRuns().isEmpty && world.hypervisor.alive.count == 1)
        try await engine.down(name)
        _ = try engine.volumes.retain(lab: name, try Name("data"))
        #expect(try await engine.removeAbandonedRuns().isEmpty)
        #expect(try FileManager.default.contentsOfDirectory(atPath: world.state.runs).isEmpty)
    }

    @Test("pruning purges the retained volumes of runs, and no others")
    func prune() async throws {
        let engine = world.engine
        let run = try await RunLab.make(for: try Name("run"), engine: engine)
        _ = try await engine.up(try lab(run.name))
        try await run.remove(purging: false)
        let mine = try Name("mine")
        _ = try await engine.up(try lab(mine))
        try await engine.down(mine)
        let own = try engine.volumes.retain(lab: mine, try Name("data"))
        let pruned = try engine.pruneRunVolumes(dryRun: true)
        #expect(pruned.count == 1 && pruned[0].hasPrefix(run.name.text))
        #expect(try engine.volumes.retained().count == 2)
        #expect(try engine.pruneRunVolumes() == pruned)
        #expect(try engine.volumes.retained() == [own])
    }

    @Test("a retained volume of a run that is brought back is its user's, and stays")
    func undeleted() async throws {
        let engine = world.engine
        let run = try await RunLab.make(for: try Name("run"), engine: engine)
        _ = try await engine.up(try lab(run.name))
        try await run.remove(purging: false)
        let record = try engine.volumes.undelete(try #require(try engine.volumes.retained().first))
        #expect(!record.isOfRun)
        _ = try engine.volumes.retain(lab: record.lab, record.name)
        #expect(try engine.pruneRunVolumes().isEmpty)
    }

    @Test("a fixed port of the host refuses the second run, by the name of the first")
    func fixedPort() async throws {
        let engine = world.engine
        let first = try await RunLab.make(for: try Name("first"), engine: engine)
        _ = try await engine.up(try lab(first.name, port: 8080))
        let second = try await RunLab.make(for: try Name("second"), engine: engine)
        let error = await #expect(throws: KilnError.self) {
            try await engine.up(try lab(second.name, port: 8080))
        }
        #expect(error?.code == .portTaken && error?.exit == .blocked)
        #expect(error?.message == "server web wants port 8080 of the host, which \(first.name)/web publishes")
        try await second.remove(purging: true)
        try await first.remove(purging: true)
        #expect(world.hypervisor.alive.isEmpty)
    }
}
