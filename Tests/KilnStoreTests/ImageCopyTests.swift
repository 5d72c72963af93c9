import Foundation
import KilnModel
import KilnStore
import KilnTestSupport
import Testing

@Suite("Copies of a store")
struct ImageCopyTests {
    private let fixture: StoreFixture

    init() throws { fixture = try StoreFixture() }

    @Test("it has the images that are wanted, whole and with all that is said of them, and no others")
    func copy() async throws {
        let (one, two) = (try fixture.seal("tiny:1", mark: 1), try fixture.seal("tiny:2", mark: 2))
        try fixture.seal("big:1", mark: 3)
        _ = try await fixture.store.revoke(try ImageReference("tiny:2"), why: "it was wrong")
        let target = fixture.folder.path + "/copy"
        let wanted = try ["tiny:1", "tiny:2", "other:1"].map { try ImageReference($0) }
        try await fixture.store.copy(wanted, to: target)
        let copy = ImageStore(root: target)
        for image in [one, two] {
            let found = try await copy.verifiedImage(
                ImageReference(name: image.name, selector: .version(image.version)),
                for: .existing
            )
            #expect(found.manifest.digest == image.digest && found.disk.hasPrefix(target))
        }
        #expect(try copy.judgement(on: two.digest).revoked == "it was wrong")
        #expect(throws: KilnError.self) { try copy.find(try ImageReference("big:1")) }
    }

    @Test("no name and no channel leads to an image that was not copied; a store that can't be read is told")
    func names() async throws {
        let one = try fixture.seal("tiny:1", mark: 1)
        try fixture.seal("tiny:2", mark: 2)
        let target = fixture.folder.path + "/copy"
        try await fixture.store.copy([try ImageReference("tiny:1")], to: target)
        let copy = ImageStore(root: target)
        #expect(try copy.list().map(\.manifest.digest) == [one.digest])
        #expect(try copy.find(try ImageReference("tiny")).manifest.digest == one.digest)
        let manifest = "\(fixture.store.root)/sha256/\(one.digest.hex)/manifest.json"
        chmod(manifest, 0o644)
        try Data("{".utf8).write(to: URL(filePath: manifest))
        let error = await #expect(throws: KilnError.self) {
            try await fixture.store.copy([try ImageReference("tiny:1")], to: target + "2")
        }
        #expect(error?.code == .imageManifestDamaged)
    }

    @Test("what is written to a copy is nothing to the store that it was made from")
    func apart() async throws {
        let one = try fixture.seal("tiny:1", mark: 1)
        let target = fixture.folder.path + "/copy"
        try await fixture.store.copy([try ImageReference("tiny:1")], to: target)
        let copy = try ImageStore(root: target).find(try ImageReference("tiny:1"))
        chmod(copy.disk, 0o644)
        try Data("else".utf8).write(to: URL(filePath: copy.disk))
        _ = try await fixture.store.verifiedImage(try ImageReference("tiny:1"), for: .existing)
        #expect(one.digest == copy.manifest.digest)
        await #expect(throws: KilnError.self) {
            try await ImageStore(root: target).verifiedImage(try ImageReference("tiny:1"), for: .existing)
        }
    }
}
