import Foundation
import KilnModel
import KilnTestSupport
import Testing

@testable import KilnStore

@Suite("Who needs an image, and what the store takes")
struct ImageCatalogTests {
    private let fixture: StoreFixture
    private let base: ImageManifest
    private let old: ImageManifest
    private let new: ImageManifest
    private let stable: Name

    init() throws {
        fixture = try StoreFixture()
        stable = try Name("stable")
        base = try fixture.seal("base:1", mark: 1)
        old = try fixture.seal("web:1", mark: 2, from: [base])
        new = try fixture.seal("web:2", mark: 3, from: [base])
    }

    private var store: ImageStore { fixture.store }

    private func unneeded(using: [ImageDigest] = []) throws -> [String] {
        try store.catalog().unneeded { using.contains($0) }.map(\.manifest.title)
    }

    @Test("nobody needs what no server, no channel and no needed image needs")
    func prune() async throws {
        #expect(try unneeded() == ["base:1", "web:1", "web:2"])
        #expect(try unneeded(using: [base.digest]) == ["web:1", "web:2"])
        #expect(try unneeded(using: [new.digest]) == ["web:1"])
        for (number, image) in [old, new].enumerated() {
            try fixture.attest(image.digest)
            _ = try await store.promote(try ImageReference("web:\(number + 1)"), to: stable)
        }
        #expect(try unneeded().isEmpty, "a channel needs its way back, too")
        let needs = try [base, old, new].map { try store.catalog().needs(of: $0.digest) }
        #expect(needs == [[.child("web:1"), .child("web:2")], [.wayBack("web@stable")], [.channel("web@stable")]])
    }

    @Test("content without a name is found by its digest, and can be removed")
    func unnamed() throws {
        let again = try fixture.seal("web:2", mark: 4)
        let catalog = try store.catalog()
        #expect(catalog.images.map(\.manifest.title) == ["base:1", "web:1", "web:2"])
        #expect(catalog.unnamed.map(\.manifest) == [new])
        #expect(catalog.titles(of: new.digest) == ["web:2"])
        let reference = ImageReference(name: new.name, selector: .digest(new.digest))
        #expect(try store.find(reference).manifest == new)
        try store.remove(reference)
        #expect(try store.catalog().unnamed.isEmpty)
        #expect(try store.find(try ImageReference("web:2")).manifest.digest == again.digest)
    }

    @Test("a parent can be removed: its children stand alone")
    func parent() throws {
        try store.remove(try ImageReference("base:1"))
        #expect(try store.find(try ImageReference("web:1")).manifest.parent == base.digest)
        #expect(try store.catalog().ancestors(of: old) == [base.digest])
    }

    @Test("what the store takes is counted by image, and whatever is none is named")
    func usage() throws {
        let second = try fixture.seal("web:3", mark: 2)
        try Data(repeating: 7, count: 100_000).write(to: URL(fileURLWithPath: store.root + "/sha256/stray"))
        let usage = try store.usage()
        #expect(usage.images.count == 3)
        #expect(usage.images.first { $0.digest == second.digest }?.names == ["web:1", "web:3"])
        #expect(usage.images.allSatisfy { $0.bytes > 0 })
        #expect(usage.folders.first { $0.name == "sha256, no image" }.map { $0.bytes >= 100_000 } == true)
        #expect(usage.bytes == (usage.images.map(\.bytes) + usage.folders.map(\.bytes)).reduce(0, +))
    }

    @Test("a manifest of an older Kiln is read, and lacks what it did not know")
    func older() throws {
        let path = store.content(old.digest) + "/manifest.json"
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        var fields = try #require(try JSONSerialization.jsonObject(with: bytes) as? [String: Any])
        fields["origin"] = nil
        fields["packages"] = [["name": "bash", "version": "5.2"]]
        chmod(path, 0o644)
        try JSONSerialization.data(withJSONObject: fields).write(to: URL(fileURLWithPath: path))
        let found = try store.find(try ImageReference("web:1")).manifest
        #expect(found.origin == nil && found.ancestors == [base.digest])
        #expect(found.packages == [ImageManifest.Package(name: "bash", version: "5.2")])
    }
}
