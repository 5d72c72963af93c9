import Foundation
import KilnModel
import KilnStore
import KilnSystem
import KilnTestSupport
import Synchronization
import Testing

@testable import KilnEngine

@Suite("An image that is deleted, and those who need one", .timeLimit(.minutes(3)))
struct LabImageTests {
    private func digest(_ reference: String, _ world: LabTestWorld) async throws -> ImageDigest {
        try await world.world.images.verifiedImage(try ImageReference(reference), for: .existing).manifest.digest
    }

    @Test("what begins to need an image while one is deleted waits for the end of that")
    func excluded() async throws {
        let world = try LabTestWorld()
        try await world.up()
        let asked = Mutex(0)
        world.world.faults.before("verifiedImage") { asked.withLock { $0 += 1 } }
        let replacement: Task<ReplacementReport, any Error>
        do {
            let deletion = try await ImageLock.take(.exclusive, ofStore: world.world.state.images)
            replacement = Task { try await world.replace("tiny:2") }
            let isWaiting: @Sendable (KilnEngine.Progress) -> Bool = { progress in
                if case .note(let text) = progress { text.hasPrefix("waiting: the image store") } else { false }
            }
            while !world.world.progress.contains(where: isWaiting) { try await Task.sleep(for: .milliseconds(2)) }
            #expect(asked.withLock { $0 } == 0)
            #expect(try world.engine.history(world.id).open == nil)
            withExtendedLifetime(deletion) {}
        }
        #expect(try await replacement.value.outcome == .committed)
        #expect(asked.withLock { $0 } > 0)
    }

    @Test("a lab that is brought up while another is written down says for whom it waits")
    func listOfLabs() async throws {
        let world = try LabTestWorld()
        let bringing: Task<Void, any Error>
        do {
            try DurableFile.makeDirectory(world.world.state.labs)
            let lock = try await world.engine.lockLabs()
            bringing = Task { _ = try await world.up() }
            let isWaiting: @Sendable (KilnEngine.Progress) -> Bool = { progress in
                if case .note(let text) = progress { text.hasPrefix("waiting: the list of labs") } else { false }
            }
            while !world.world.progress.contains(where: isWaiting) { try await Task.sleep(for: .milliseconds(2)) }
            withExtendedLifetime(lock) {}
        }
        try await bringing.value
    }

    @Test("an image is needed from the moment at which it is written down that it will be")
    func neededAtOnce() async throws {
        let world = try LabTestWorld()
        try await world.up()
        let gone = KilnError(.hypervisorUnreachable, "gone", exit: .unreachable)
        world.world.faults.fail("createLayer", with: gone)
        await #expect(throws: KilnError.self) { try await world.replace("tiny:2") }
        let digest = try await digest("tiny:2", world)
        #expect(try world.engine.servers(needing: digest) == [world.id])
    }

    @Test("nobody who replaces keeps the store beyond the intent")
    func released() async throws {
        let world = try LabTestWorld(["1": GuestBehaviour(), "2": GuestBehaviour(.silent)])
        try await world.up()
        let replacement = Task { try await world.replace("tiny:2") }
        while try world.engine.history(world.id).open == nil { try await Task.sleep(for: .milliseconds(2)) }
        let digest = try await digest("tiny:2", world)
        let users = try await world.engine.withoutNewUsersOfImages { try world.engine.servers(needing: digest) }
        #expect(users == [world.id])
        replacement.cancel()
        _ = try await replacement.value
    }
}
