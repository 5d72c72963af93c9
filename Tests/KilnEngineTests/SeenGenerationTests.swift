import Foundation
import KilnModel
import KilnTestSupport
import Testing

@testable import KilnEngine

@Suite("What a listing tells of a generation")
struct SeenGenerationTests {
    private let world: LabTestWorld
    private var path: String { world.world.state.generation(world.machine(1)) + "/generation.json" }
    private var workspace: ServerWorkspace { world.engine.workspace(world.id) }

    init() async throws {
        world = try LabTestWorld()
        var spec = try world.spec()
        spec.ports = [try Name("http"): PortSpec(guest: 80)]
        spec.maxAge = .seconds(60)
        _ = try await world.engine.up(try world.lab([world.id.server: spec]))
    }

    private func edit(_ change: (inout [String: Any]) -> Void) throws {
        let data = try Data(contentsOf: URL(fileURLWithPath: path))
        var record = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        change(&record)
        try JSONSerialization.data(withJSONObject: record).write(to: URL(fileURLWithPath: path))
    }

    @Test("it is what the whole record says")
    func same() throws {
        let record = try workspace.record(world.machine(1))
        let seen = try #require(try workspace.seen(world.machine(1)))
        #expect(seen.image == record.image && seen.instanceID == record.instanceID && seen.created == record.created)
        #expect(seen.ports == record.ports && seen.configuration == record.configuration && seen.configuration != nil)
        #expect(seen.spec.image == record.spec.image && seen.spec.maxAge == .seconds(60))
        #expect(seen.spec.volumes == record.spec.volumes && !record.spec.volumes.isEmpty)
        #expect(seen.spec.ports == record.spec.ports && !record.spec.ports.isEmpty)
        #expect(seen.spec.networks == record.spec.networks && seen.spec.fleet == record.spec.fleet)
    }

    @Test("the record of an older Kiln is told, that of a later one refused by its format")
    func versions() throws {
        try edit { record in
            for key in ["format", "ports", "configuration", "peers", "launch"] { record[key] = nil }
            record["spec"] = ["image": "tiny:1"]
        }
        let seen = try #require(try workspace.seen(world.machine(1)))
        #expect(seen.spec.volumes == nil && seen.configuration == nil)
        try edit { $0["format"] = 2 }
        let error = #expect(throws: KilnError.self) { _ = try workspace.seen(world.machine(1)) }
        #expect(error?.message.contains("format 2") == true, "\(String(describing: error))")
    }
}
