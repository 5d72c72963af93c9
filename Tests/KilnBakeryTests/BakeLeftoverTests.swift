import Foundation
import KilnModel
import KilnSystem
import KilnTestSupport
import Testing

@testable import KilnBakery
@testable import KilnStore

@Suite("What bakes leave and nothing needs")
struct BakeLeftoverTests {
    private let fixture: StoreFixture
    private let image: ImageManifest

    init() throws {
        fixture = try StoreFixture()
        image = try fixture.seal("web:1", mark: 1)
    }

    private var root: String { fixture.store.root }

    private func write(_ path: String, _ text: String = "x") throws {
        let folder = URL(fileURLWithPath: "\(root)/\(path)").deletingLastPathComponent().path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(root)/\(path)"))
    }

    private func step(_ number: Int, of title: String) throws -> String {
        let key = try StoreFixture.digest(number)
        try write("steps/\(key.hex)/tree.tar.zst")
        let record = StepCache.Record(
            made: title,
            summary: "shell",
            material: KeyMaterial(),
            changes: nil,
            seconds: 1,
            ended: 0
        )
        try JSONEncoder().encode(record).write(to: URL(fileURLWithPath: "\(root)/steps/\(key.hex)/step.json"))
        return "steps/\(key.hex)"
    }

    private func note(_ numbers: [Int], _ path: String) throws {
        let keys = try JSONEncoder().encode(try numbers.map { try StoreFixture.digest($0) })
        try write(path, String(decoding: keys, as: UTF8.self))
    }

    private func leftovers(days: Double = 0) -> BakeLeftovers {
        BakeLeftovers(of: fixture.store, now: Date().addingTimeInterval(days * 86_400 + 5), youngest: 0)
    }

    private func isThere(_ path: String) -> Bool { FileManager.default.fileExists(atPath: "\(root)/\(path)") }

    @Test("what a version that is there needs stays, what belongs to one that is gone goes, and how much is told")
    func reachable() async throws {
        let (needed, unneeded) = (try step(1, of: "web:1"), try step(2, of: "gone:1"))
        try note([1], "bakes/web/1.json")
        try note([2], "bakes/gone/1.json")
        for path in ["logs/web/1.log", "logs/gone/1.log"] { try write(path) }
        let (own, other) = ("trees/\(image.digest.hex).tar.zst", "trees/\(try StoreFixture.digest(9).hex).tar.zst")
        for path in [own, other] { try write(path) }
        let (booted, gone) = ("boots/\(image.digest.hex).json", "boots/\(try StoreFixture.digest(9).hex).json")
        for path in [booted, gone] { try write(path) }
        let goes = ["bakes/gone/1.json", "logs/gone/1.log", unneeded, other, gone]
        let told = try await leftovers().collect(dryRun: true)
        #expect(Set(told.map(\.path)) == Set(goes), "\(told)")
        #expect(told.reduce(0) { $0 + $1.bytes } > 0)
        #expect(goes.allSatisfy(isThere))
        #expect(try await leftovers().collect(dryRun: false) == told)
        #expect(!goes.contains(where: isThere))
        #expect([needed, own, booted, "bakes/web/1.json", "logs/web/1.log"].allSatisfy(isThere))
        #expect(try await leftovers().collect(dryRun: false).isEmpty)
    }

    @Test("a tree or a disk of a bake that failed stays for two weeks, with the steps that it goes on from")
    func kept() async throws {
        let step = try step(1, of: "new:1")
        try write("kept/new/1/step", "2\n")
        try write("kept/new/1/tree/etc/motd")
        try write("kept/booted/1/disk.qcow2")
        #expect(try await leftovers(days: 13).collect(dryRun: false).isEmpty)
        let gone = try await leftovers(days: 15).collect(dryRun: false).map(\.path)
        #expect(Set(gone) == ["kept/booted/1", "kept/new/1", step])
        #expect(!isThere("kept/new/1") && !isThere("kept/booted/1") && !isThere(step))
    }

    @Test("while somebody bakes, nothing of bakes is touched; a step that is new is left")
    func underWay() async throws {
        let step = try step(1, of: "new:1")
        try write("bakes/new.lock")
        let lock = try FileLock("\(root)/bakes/new.lock", subject: "the recipe new")
        #expect(try await leftovers().collect(dryRun: false).isEmpty)
        withExtendedLifetime(lock) {}
        let careful = BakeLeftovers(of: fixture.store)
        #expect(try await careful.collect(dryRun: false).isEmpty && isThere(step))
    }

    @Test("a download of a month ago goes, unless somebody is at it")
    func downloads() async throws {
        let (old, used) = (try StoreFixture.digest(1).hex, try StoreFixture.digest(2).hex)
        for key in [old, used] {
            for kind in ["file", "json"] { try write("downloads/\(key).\(kind)") }
            try write("downloads/\(key).lock")
        }
        #expect(try await leftovers(days: 29).collect(dryRun: false).isEmpty)
        let lock = try FileLock("\(root)/downloads/\(used).lock", subject: "a download")
        #expect(
            try await leftovers(days: 31).collect(dryRun: false).map(\.path)
                == ["file", "json"].map { "downloads/\(old).\($0)" }
        )
        withExtendedLifetime(lock) {}
    }

    @Test("a link among the leftovers is removed, and not what it leads to")
    func links() async throws {
        let outside = try fixture.folder.file("precious", [1])
        try write("logs/gone/2.log")
        try FileManager.default.createSymbolicLink(
            atPath: "\(root)/logs/gone/1.log",
            withDestinationPath: outside
        )
        _ = try await leftovers().collect(dryRun: false)
        let link = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(root)/logs/gone/1.log")
        #expect(link == nil && !isThere("logs/gone/2.log"))
        #expect(FileManager.default.fileExists(atPath: outside))
    }

    @Test("the tree of an image goes with the image")
    func deleted() throws {
        let tree = "trees/\(image.digest.hex).tar.zst"
        try write(tree)
        try fixture.store.remove(try ImageReference("web:1"))
        #expect(!isThere(tree))
    }
}
