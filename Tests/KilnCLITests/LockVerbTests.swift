import Foundation
import KilnEngine
import KilnModel
import KilnScenarios
import KilnStore
import KilnTestSupport
import Testing

@testable import KilnCLI

@Suite("Locked images, on fakes")
struct LockVerbTests {
    private let kiln: WorldSession

    init() throws { kiln = try WorldSession() }

    private func lock(_ version: String) async throws {
        let reference = try ImageReference("tiny:\(version)")
        let digest = try await kiln.world.images.verifiedImage(reference, for: .existing).manifest.digest
        try LabLock([try ImageReference("tiny:1")]) { _ in digest }.write(beside: kiln.file)
    }

    @Test("lock writes what the images are now")
    func written() async throws {
        let fixture = try StoreFixture(root: kiln.world.state.images)
        let image = try fixture.seal("tiny:1", mark: 1)
        let locked = try await kiln.kiln("lock", kiln.file)
        #expect(locked.status == 0 && locked.output.contains(image.digest.description))
        let references: Set = [try ImageReference("tiny:1")]
        #expect(try LabLock.read(beside: kiln.file, naming: references).images == ["tiny:1": image.digest])
        _ = try await fixture.store.revoke(try ImageReference("tiny:1"), why: "a hole")
        #expect(try await kiln.kiln("lock", kiln.file).status == 10)
    }

    @Test("up and replace take what the lock says, whatever the name means by now")
    func used() async throws {
        #expect(try await kiln.kiln("up", "-f", kiln.file, "--locked").status == 65)
        try await lock("2")
        #expect(try await kiln.kiln("up", "-f", kiln.file, "--locked").status == 0)
        #expect(try await kiln.kiln("ps").output.contains("tiny:2"))
        #expect(
            try await kiln.kiln("up", "-f", kiln.file, "--locked", "--dry-run").output.contains("runs as generation 1")
        )
        try await lock("1")
        #expect(try await kiln.kiln("replace", "web", "--locked", "-f", kiln.file).status == 0)
        #expect(try await kiln.kiln("ps").output.contains("tiny:1"))
        let stranger = try await kiln.kiln("replace", "web", "--locked", "-f", kiln.file, "--image", "tiny:2")
        #expect(stranger.status == 65 && stranger.errors.contains("the lock has no image tiny:2"))
    }

    @Test("a lock of other images than the file names is refused by their names")
    func stale() async throws {
        try await lock("1")
        try kiln.declare("tiny:2")
        let refused = try await kiln.kiln("up", "-f", kiln.file, "--locked")
        #expect(refused.status == 65 && refused.errors.contains("it lacks tiny:2"))
        #expect(refused.errors.contains("the file no longer names 'tiny:1'"))
    }
}
