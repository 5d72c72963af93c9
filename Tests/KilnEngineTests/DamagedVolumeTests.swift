import Foundation
import KilnModel
import KilnTestSupport
import Testing

@testable import KilnEngine

/// A volume of another lab, and one of the same lab that nobody uses, whose records can't be read.
@Suite("A damaged volume.json")
struct DamagedVolumeTests {
    private static let contents = ["", "{", "{\"lab\": \"other\"}", "\u{0}\u{0}", "[]"]

    private func world(_ content: String) async throws -> LabTestWorld {
        let test = try LabTestWorld()
        try await test.up()
        for (lab, name) in [(try Name("other"), test.volume), (test.id.lab, try Name("spare"))] {
            let directory = test.world.state.volume(lab: lab, name)
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            try Data(content.utf8).write(to: URL(fileURLWithPath: directory + "/volume.json"))
        }
        return test
    }

    @Test("stops no verb on another lab's servers and volumes", arguments: contents)
    func serversGoOn(_ content: String) async throws {
        let test = try await world(content)
        let engine = test.engine
        #expect(try await engine.statuses().map(\.problem) == [nil])
        _ = try await engine.status(test.id)
        try await test.up()
        #expect(try await test.replace("tiny:2").outcome == .committed)
        #expect(try await engine.collectGarbage().isEmpty)
        #expect(try await engine.recover(test.id) == nil)
        let image = try engine.record(test.id).image.digest
        #expect(try engine.servers(needing: image) == [test.id])
        _ = try await engine.snapshotVolume(lab: test.id.lab, test.volume)
        _ = try await engine.cloneVolume(lab: test.id.lab, test.volume, as: try Name("copy"))
        try await engine.stop(test.id)
        try await engine.start(test.id)
        try await engine.down(test.id.lab)
        #expect(engine.volumes.names(of: test.id.lab).map(\.text) == ["copy", "data", "spare"])
        _ = try engine.volumes.retain(lab: test.id.lab, test.volume)
    }

    @Test("is named by its path, beside all that can be read", arguments: contents)
    func isNamed(_ content: String) async throws {
        let test = try await world(content)
        let found = test.engine.volumes.readableList()
        #expect(found.volumes.map(\.name) == [test.volume])
        #expect(found.damaged.count == 2)
        for (error, place) in zip(found.damaged, ["lab/spare", "other/data"]) {
            let error = try #require(error as? KilnError)
            #expect(error.code == .stateUnreadable && error.message.contains("volumes/\(place)/volume.json"))
        }
    }

    @Test("stops a rehearsal and its end neither")
    func rehearsal() async throws {
        let test = try await world("{")
        let options = ReplaceOptions(image: try ImageReference("tiny:2"), rehearsesFirst: true)
        #expect(try await test.engine.replace(test.id, options).outcome == .committed)
        #expect(test.engine.volumes.names(of: test.id.lab).map(\.text) == ["data", "spare"])
    }
}
