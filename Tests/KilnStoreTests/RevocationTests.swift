import Foundation
import KilnModel
import KilnTestSupport
import Testing

@testable import KilnStore

@Suite("Revocations")
struct RevocationTests {
    private let fixture: StoreFixture
    private let base: ImageManifest
    private let middle: ImageManifest
    private let leaf: ImageManifest

    init() throws {
        fixture = try StoreFixture()
        base = try fixture.seal("base:1", mark: 1)
        middle = try fixture.seal("app:1", mark: 2, from: [base])
        leaf = try fixture.seal("notes:1", mark: 3, from: [middle, base])
    }

    private var store: ImageStore { fixture.store }

    private func words() throws -> [String] {
        let catalog = try store.catalog()
        return [base, middle, leaf].map { catalog.standing(of: $0).word }
    }

    private func code(_ work: () async throws -> Void) async -> ErrorCode? {
        do {
            try await work()
            return nil
        } catch { return (error as? KilnError)?.code }
    }

    @Test("no new generation is made from a revoked image, and what served before goes on")
    func refused() async throws {
        try fixture.seal("app:2", mark: 4)
        let reference = try ImageReference("app:1")
        _ = try await store.revoke(reference, why: "CVE-2026-1")
        let error = await #expect(throws: KilnError.self) {
            try await store.verifiedImage(reference, for: .newGeneration(.any))
        }
        #expect(error?.code == .imageRevoked && error?.message.contains("CVE-2026-1") == true)
        #expect(error?.hint == "the newest version that is not revoked is app:2")
        #expect(try await store.verifiedImage(reference, for: .existing).manifest == middle)
        let byDigest = try ImageReference("app@\(middle.digest)")
        #expect(await code { _ = try await store.verifiedImage(byDigest, for: .newGeneration(.any)) } == .imageRevoked)
        #expect(await code { _ = try store.usable(reference) } == .imageRevoked)
    }

    @Test("children of a revoked image are marked, and revoked only where that is said")
    func descendants() async throws {
        _ = try await store.revoke(try ImageReference("base:1"), why: "old")
        #expect(try words() == ["revoked", "parent-revoked", "parent-revoked"])
        _ = try await store.verifiedImage(try ImageReference("notes:1"), for: .newGeneration(.any))
        let all = try await store.revoke(try ImageReference("base:1"), why: "really", descendants: true)
        #expect(Set(all.map(\.digest)) == [base.digest, middle.digest, leaf.digest])
        #expect(all.first?.why == "old", "the first reason stays")
        #expect(try words() == ["revoked", "revoked", "revoked"])
        _ = try await store.restore(try ImageReference("base:1"))
        #expect(try words() == ["untested", "revoked", "revoked"])
    }

    @Test("an image whose parent was revoked while it was baked is not sealed; one whose parent's parent was is marked")
    func meanwhile() async throws {
        _ = try await store.revoke(try ImageReference("app:1"), why: "a hole")
        let error = #expect(throws: KilnError.self) { try fixture.seal("shop:1", mark: 5, from: [middle, base]) }
        #expect(error?.code == .imageRevoked && error?.message.contains("from which shop:1 is made") == true)
        #expect(error?.message.contains("a hole") == true)
        _ = try await store.restore(try ImageReference("app:1"))
        _ = try await store.revoke(try ImageReference("base:1"), why: "old")
        let child = try fixture.seal("shop:1", mark: 5, from: [middle, base])
        #expect(try store.catalog().standing(of: child).word == "parent-revoked")
    }

    @Test("a parent that was removed meanwhile is still an ancestor, by which its descendants are revoked")
    func removed() async throws {
        try store.remove(try ImageReference("app:1"))
        let all = try await store.revoke(try ImageReference("base:1"), why: "old", descendants: true)
        #expect(Set(all.map(\.digest)) == [base.digest, leaf.digest])
        #expect(all.last?.ancestor == base.digest)
    }

    @Test("a tombstone outlives its image, and the same content is not sealed again under any name")
    func outlives() async throws {
        _ = try await store.revoke(try ImageReference("notes:1"), why: "leaks keys")
        try store.remove(try ImageReference("notes:1"))
        let error = #expect(throws: KilnError.self) { try fixture.seal("other:7", mark: 3) }
        #expect(error?.code == .imageRevoked && error?.message.contains("leaks keys") == true)
        #expect(error?.message.contains("notes:1") == true)
        #expect(try store.list().map(\.manifest.title) == ["app:1", "base:1"])
        #expect(await code { _ = try store.find(try ImageReference("other")) } == .imageMissing)
        let restored = try await store.restore(try ImageReference("notes:1"))
        #expect(restored.digest == leaf.digest)
        try fixture.seal("other:7", mark: 3)
    }

    @Test("what is not revoked is not restored, and no reason is none")
    func mistakes() async throws {
        #expect(await code { _ = try await store.restore(try ImageReference("app:1")) } == .imageNotRevoked)
        #expect(await code { _ = try await store.restore(try ImageReference("gone:1")) } == .imageNotRevoked)
        for why in ["", " \n", String(repeating: "x", count: 1_001)] {
            let found = await code { _ = try await store.revoke(try ImageReference("app:1"), why: why) }
            #expect(found == .imageReasonInvalid)
        }
        #expect(try words() == ["untested", "untested", "untested"])
    }

    @Test("a lab that takes only attested images gets no other, by whatever reference")
    func policy() async throws {
        for text in ["app", "app:1", "app@\(middle.digest)"] {
            let reference = try ImageReference(text)
            let found = await code { _ = try await store.verifiedImage(reference, for: .newGeneration(.attested)) }
            #expect(found == .imageNotAttested)
            _ = try await store.verifiedImage(reference, for: .existing)
        }
        try fixture.attest(middle.digest)
        _ = try await store.verifiedImage(try ImageReference("app:1"), for: .newGeneration(.attested))
    }

    @Test("manifests that name each other as parents end every question")
    func circle() throws {
        let catalog = ImageCatalog(
            images: try [(1, 2), (2, 1)].map { own, parent in
                StoredImage(
                    manifest: ImageManifest(
                        name: try Name("web"),
                        version: "\(own)",
                        digest: try StoreFixture.digest(own),
                        parent: try StoreFixture.digest(parent),
                        virtualSize: .mebibytes(1),
                        boot: .firmware(.bios),
                        cloudInit: .none,
                        ssh: false,
                        size: MachineSize(memory: .mebibytes(64), processors: 1)
                    ),
                    disk: "",
                    kernel: nil,
                    initrd: nil
                )
            },
            unnamed: [],
            channels: [],
            revocations: [:],
            verdicts: [:]
        )
        #expect(catalog.descendants(of: try StoreFixture.digest(1)) == [try StoreFixture.digest(2)])
        #expect(catalog.ancestors(of: catalog.images[0].manifest).count == 2)
    }
}
