import Foundation
import KilnModel
import KilnSystem
import KilnTestSupport
import Testing

@testable import KilnBakery
@testable import KilnStore

@Suite("What is kept of steps")
struct StepCacheTests {
    private let fixture: StoreFixture
    private let cache: StepCache
    private let key: ImageDigest

    init() throws {
        fixture = try StoreFixture()
        cache = StepCache(store: fixture.store)
        key = try StoreFixture.digest(1)
    }

    private func take(_ tree: String, made: String) throws {
        let draft = "draft-\(UUID().uuidString)"
        let file = try fixture.folder.file("\(draft)/tree.tar.zst", Array(tree.utf8))
        let record = StepCache.Record(
            made: made,
            summary: "shell",
            material: KeyMaterial(),
            changes: nil,
            seconds: 1,
            ended: 0
        )
        try cache.take(DurableFile.directory(of: file), as: key, record)
    }

    private var tree: String? {
        FileManager.default.contents(atPath: cache.archive(key)).map { String(decoding: $0, as: UTF8.self) }
    }

    private func expectNoRest() throws {
        let work = try? FileManager.default.contentsOfDirectory(atPath: fixture.store.work)
        #expect(work?.isEmpty != false)
    }

    @Test("a step without its tree counts as absent, and what is left of one gives its place to a whole one")
    func rest() throws {
        try take("first", made: "web:1")
        unlink(cache.archive(key))
        #expect(cache.record(key) == nil)
        try take("second", made: "web:2")
        #expect(cache.record(key)?.made == "web:2" && tree == "second")
        try cache.keep(key, asTreeOf: try StoreFixture.digest(2))
        try expectNoRest()
    }

    @Test("the tree of an image takes the place of what was kept as that, which may be another's")
    func replaced() throws {
        try take("first", made: "web:1")
        let image = try StoreFixture.digest(2)
        try cache.keep(key, asTreeOf: image)
        try cache.keep(key, asTreeOf: image)
        try expectNoRest()
        let kept = cache.tree(of: image)
        unlink(kept)
        try Data("other".utf8).write(to: URL(fileURLWithPath: kept))
        try cache.keep(key, asTreeOf: image)
        #expect(try String(contentsOfFile: kept, encoding: .utf8) == "first" && tree == "first")
        try expectNoRest()
    }

    @Test("a step that is whole stays where another bake made the same")
    func faster() throws {
        try take("first", made: "web:1")
        try take("second", made: "web:2")
        #expect(cache.record(key)?.made == "web:1" && tree == "first")
        try expectNoRest()
    }

    @Test("a step that is forgotten is gone at once, and nothing of it stays; one that is not there is none")
    func removed() throws {
        cache.remove(key)
        try take("first", made: "web:1")
        cache.remove(key)
        #expect(!FileManager.default.fileExists(atPath: cache.place(key)) && cache.record(key) == nil)
        try expectNoRest()
    }
}
