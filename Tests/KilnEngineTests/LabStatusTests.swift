import Foundation
import KilnModel
import KilnTestSupport
import Testing

@testable import KilnEngine

@Suite("The age of a server")
struct LabStatusTests {
    private static let day = 86_400

    /// A world with a server that declares `maxAge` and whose machine was made so many seconds ago.
    private func world(maxAge: Duration?, madeSecondsAgo age: Int) async throws -> LabTestWorld {
        let world = try LabTestWorld()
        var spec = try world.spec()
        spec.maxAge = maxAge
        _ = try await world.engine.up(try world.lab([world.id.server: spec]))
        let path = world.world.state.generation(world.machine(1)) + "/generation.json"
        let data = try Data(contentsOf: URL(fileURLWithPath: path))
        var record = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        record["created"] = Date.now.addingTimeInterval(-Double(age)).formatted(.iso8601)
        try JSONSerialization.data(withJSONObject: record).write(to: URL(fileURLWithPath: path))
        return world
    }

    @Test("a server that is older than its max-age is due")
    func due() async throws {
        let world = try await world(maxAge: .seconds(30 * Self.day), madeSecondsAgo: 31 * Self.day)
        let status = try await world.engine.status(world.id)
        #expect(status.isDue)
        #expect(try #require(status.age) >= .seconds(31 * Self.day))
    }

    @Test("a replacement makes it young again")
    func replaced() async throws {
        let world = try await world(maxAge: .seconds(30 * Self.day), madeSecondsAgo: 31 * Self.day)
        #expect(try await world.replace("tiny:2").outcome == .committed)
        let status = try await world.engine.status(world.id)
        #expect(!status.isDue)
        #expect(try #require(status.age) < .seconds(Self.day))
    }

    @Test("a max-age that the lab declares later counts as well")
    func declaredLater() async throws {
        let world = try await world(maxAge: nil, madeSecondsAgo: 2 * Self.day)
        #expect(try await !world.engine.status(world.id).isDue)
        var spec = try world.spec()
        spec.maxAge = .seconds(Self.day)
        _ = try await world.engine.up(try world.lab([world.id.server: spec]))
        #expect(try await world.engine.status(world.id).isDue)
    }

    @Test("a clock that stands before the machine was made gives no age")
    func clockSetBack() async throws {
        let world = try await world(maxAge: .milliseconds(1), madeSecondsAgo: -Self.day)
        let status = try await world.engine.status(world.id)
        #expect(status.ageSeconds == 0)
        #expect(!status.isDue)
    }
}
