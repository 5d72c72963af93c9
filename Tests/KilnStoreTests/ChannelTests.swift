import Foundation
import KilnModel
import KilnTestSupport
import Testing

@testable import KilnStore

@Suite("Channels")
struct ChannelTests {
    private let fixture: StoreFixture
    private let images: [ImageManifest]
    private let stable: Name
    private let web: Name

    init() throws {
        fixture = try StoreFixture()
        images = try (1...3).map { [fixture] in try fixture.seal("web:\($0)", mark: UInt8($0)) }
        stable = try Name("stable")
        web = try Name("web")
    }

    private var store: ImageStore { fixture.store }

    private func resolved() throws -> String { try store.resolve(try ImageReference("web@stable")).manifest.version }

    private func code(_ work: () async throws -> Void) async -> ErrorCode? {
        do {
            try await work()
            return nil
        } catch { return (error as? KilnError)?.code }
    }

    private func promote(_ version: Int) async throws {
        try fixture.attest(images[version - 1].digest)
        _ = try await store.promote(try ImageReference("web:\(version)"), to: stable)
    }

    @Test("only what passed is promoted, and the command that is missing is named")
    func gate() async throws {
        for outcome in [nil, Assertion.Outcome.flaky, .failed] {
            if let outcome { try fixture.attest(images[0].digest, outcome) }
            let error = await #expect(throws: KilnError.self) {
                try await store.promote(try ImageReference("web:1"), to: stable)
            }
            #expect(error?.code == .imageNotAttested && error?.exit == .aborted)
            #expect(error?.hint?.contains("'kiln image test web:1'") == true)
        }
        #expect(await code { _ = try resolved() } == .imageChannelMissing)
        try await promote(1)
        #expect(try resolved() == "1")
    }

    @Test("a channel moves on and back again, and its history only grows")
    func moves() async throws {
        for version in 1...3 { try await promote(version) }
        #expect(try resolved() == "3")
        #expect(try await store.moveBack(stable, of: web).current?.version == "2")
        #expect(try await store.moveBack(stable, of: web).current?.version == "1")
        try await promote(3)
        #expect(try await store.moveBack(stable, of: web).current?.version == "1")
        let channel = try #require(try store.channel(stable, of: web))
        #expect(channel.history.map { $0.target?.version } == ["1", "2", "3", "2", "1", "3", "1"])
        #expect(try await store.moveBack(stable, of: web).current == nil)
        #expect(await code { _ = try resolved() } == .imageChannelMissing)
        #expect(await code { _ = try await store.moveBack(stable, of: web) } == .imageChannelMissing)
    }

    @Test("to promote what a channel points to already changes nothing")
    func again() async throws {
        try await promote(1)
        try await promote(1)
        #expect(try store.channels(of: web).map(\.history.count) == [1])
    }

    @Test("a channel can be promoted to another")
    func between() async throws {
        try await promote(2)
        _ = try await store.promote(try ImageReference("web@stable"), to: try Name("canary"))
        #expect(try store.channels().map(\.title) == ["web@canary", "web@stable"])
        #expect(try store.resolve(try ImageReference("web@canary")).manifest.version == "2")
    }

    @Test("a channel whose image is revoked or fails its tests by now fails by name, and never falls back")
    func spoiled() async throws {
        try await promote(1)
        try await promote(2)
        try fixture.attest(images[1].digest, .failed, suite: 2)
        #expect(await code { _ = try resolved() } == .imageNotAttested)
        try fixture.attest(images[1].digest, .passed, suite: 2)
        _ = try await store.revoke(try ImageReference("web:2"), why: "a hole")
        let error = #expect(throws: KilnError.self) { _ = try resolved() }
        #expect(error?.code == .imageRevoked && error?.message.contains("web@stable") == true)
        #expect(error?.message.contains("a hole") == true && error?.hint?.contains("web:3") == true)
        // Whoever only looks, and what served before, is not refused.
        #expect(try store.find(try ImageReference("web@stable")).manifest.version == "2")
        _ = try await store.verifiedImage(try ImageReference("web@stable"), for: .existing)
        #expect(try await store.moveBack(stable, of: web).current?.version == "1")
    }

    @Test("a channel does not go back to what is revoked, and stays where it is")
    func backToRevoked() async throws {
        try await promote(1)
        try await promote(2)
        _ = try await store.revoke(try ImageReference("web:1"), why: "old")
        #expect(await code { _ = try await store.moveBack(stable, of: web) } == .imageRevoked)
        #expect(try resolved() == "2")
    }

    @Test("a channel whose image is revoked with its parent fails by name, and goes back to what is not")
    func parentRevoked() async throws {
        let base = try fixture.seal("base:1", mark: 8)
        let child = try fixture.seal("web:4", mark: 9, from: [base])
        try await promote(1)
        try fixture.attest(child.digest)
        _ = try await store.promote(try ImageReference("web:4"), to: stable)
        _ = try await store.revoke(try ImageReference("base:1"), why: "a hole")
        #expect(try resolved() == "4", "it is marked, and not revoked")
        _ = try await store.revoke(try ImageReference("base:1"), why: "a hole", descendants: true)
        #expect(await code { _ = try resolved() } == .imageRevoked)
        #expect(try await store.moveBack(stable, of: web).current?.version == "1")
    }

    @Test("an image that a channel points to is not removed, and the channels are named")
    func removal() async throws {
        try await promote(1)
        let error = #expect(throws: KilnError.self) { try store.remove(try ImageReference("web:1")) }
        #expect(error?.code == .imageInUse && error?.exit == .blocked)
        #expect(error?.message.contains("web@stable") == true)
        _ = try await store.moveBack(stable, of: web)
        try store.remove(try ImageReference("web:1"))
    }

    @Test("a channel keeps its content when the version is baked again")
    func bakedAgain() async throws {
        try await promote(1)
        try fixture.seal("web:1", mark: 9)
        let found = try store.resolve(try ImageReference("web@stable")).manifest
        #expect(found.digest == images[0].digest && found.title == "web:1")
        #expect(try store.catalog().unnamed.map(\.manifest.digest) == [images[0].digest])
    }

    @Test("a misspelt channel is told with its neighbour")
    func misspelt() async throws {
        try await promote(1)
        let error = #expect(throws: KilnError.self) { try store.resolve(try ImageReference("web@stabel")) }
        #expect(error?.message.contains("did you mean 'stable'?") == true)
    }

    @Test("two who promote at once leave one of both, and both in the history")
    func race() async throws {
        for image in images { try fixture.attest(image.digest) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for version in 1...3 {
                group.addTask { [store, stable] in
                    _ = try await store.promote(try ImageReference("web:\(version)"), to: stable)
                }
            }
            try await group.waitForAll()
        }
        let channel = try #require(try store.channel(stable, of: web))
        #expect(Set(channel.history.compactMap { $0.target?.version }) == ["1", "2", "3"])
    }
}
