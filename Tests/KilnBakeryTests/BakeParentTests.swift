import Foundation
import KilnEngine
import KilnModel
import KilnSystem
import KilnTestSupport
import Synchronization
import Testing

@testable import KilnBakery
@testable import KilnStore

@Suite(
    "Bakes from another image",
    .enabled(if: geteuid() == 0, "a plain user needs subordinate ids"),
    .timeLimit(.minutes(5))
)
struct BakeParentTests {
    private let world: BakeWorld
    private let parent: StoredImage

    init() async throws {
        world = try BakeWorld(provision: "[{ shell: one.sh }]")
        try world.program("one.sh", "echo 1 > /etc/one")
        let baked = try await world.bake()
        parent = try #require(baked.first)
    }

    private func write(_ name: String, from reference: String) throws {
        let text = "kiln-image: 1\nname: \(name)\nabout: x\nfrom: \(reference)\nversions: { '1': {} }\n"
        _ = try world.folder.file("Images/\(name)/image.yaml", Array(text.utf8))
    }

    /// Bakes a recipe, and its parents by the recipes beside it.
    private func bake(
        _ name: String,
        roots: any RootInspection = UnlistedRoots(),
        tell: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws -> StoredImage {
        let images = world.folder.path + "/Images"
        let baker = Baker(
            store: world.store,
            roots: roots,
            recipe: { name in try? Recipe(folder: "\(images)/\(name)") },
            tell: tell
        )
        return try #require(await baker.bake(Recipe(folder: "\(images)/\(name)")).first)
    }

    private func code(_ name: String, tell: @escaping @Sendable (String) -> Void = { _ in }) async -> ErrorCode? {
        await #expect(throws: KilnError.self) { try await bake(name, tell: tell) }?.code
    }

    @Test("a kernel module that a step left is refused when a person goes on, too, unless the tree is mended")
    func modules() async throws {
        let images = world.folder.path + "/Images"
        let text =
            "kiln-image: 1\nname: child\nabout: x\nfrom: web:1\n"
            + "provision: [{ shell: module.sh }]\nversions: { '1': {} }\n"
        _ = try world.folder.file("Images/child/image.yaml", Array(text.utf8))
        let script =
            "#!/bin/sh\nset -e\n[ -e /etc/mended ] || { mkdir -p /usr/lib/modules/7 && echo x > /usr/lib/modules/7/new.ko; }\n"
        chmod(try world.folder.file("Images/child/module.sh", Array(script.utf8)), 0o755)
        #expect(await code("child") == .bakeModulesChanged)
        var options = Baker.Options()
        options.fromStep = 2
        let baker = Baker(store: world.store, roots: UnlistedRoots()) { _ in }
        let recipe = try Recipe(folder: images + "/child")
        let error = await #expect(throws: KilnError.self) { try await baker.bake(recipe, options) }
        #expect(error?.code == .bakeModulesChanged, "\(error.map { "\($0)" } ?? "")")
        #expect(throws: KilnError.self) { try world.store.find(try ImageReference("child:1")) }
        let kept = KeptTree(store: world.store, name: try Name("child"), version: "1")
        for name in ["modules/7/new.ko", "modules/7", "modules", ""] { remove("\(kept.path)/usr/lib/\(name)") }
        _ = try Data().write(to: URL(fileURLWithPath: kept.path + "/etc/mended"))
        #expect(try await baker.bake(recipe, options).first?.manifest.title == "child:1")
    }

    @Test("what a person goes on with is compared with what the parent's listing says, not with any tree beside it")
    func modulesOfWrongTree() async throws {
        let kept = StepCache(store: world.store).tree(of: parent.manifest.digest)
        let plain = world.folder.path + "/plain.tar"
        try await Command("zstd", ["-q", "-d", kept, "-o", plain]).run()
        let roots = ArchivedRoots(tar: plain)
        _ = try await world.store.list(parent, by: roots)
        let text =
            "kiln-image: 1\nname: child\nabout: x\nfrom: web:1\nprovision: [{ shell: fail.sh }]\nversions: { '1': {} }\n"
        _ = try world.folder.file("Images/child/image.yaml", Array(text.utf8))
        let script = "#!/bin/sh\nset -e\n[ -e /etc/mended ]\n"
        chmod(try world.folder.file("Images/child/fail.sh", Array(script.utf8)), 0o755)
        #expect(await code("child") == .bakeStepFailed)
        let going = KeptTree(store: world.store, name: try Name("child"), version: "1")
        _ = try Data().write(to: URL(fileURLWithPath: going.path + "/etc/mended"))
        // With a module of its own the tree beside the parent would make a change of what is none.
        let other = FileTree(path: world.folder.path + "/other")
        try DurableFile.makeDirectory(other.path)
        try await other.unpack(plain)
        try DurableFile.makeDirectory(other.path + "/usr/lib/modules/7")
        try await other.archiving(to: kept + ".new", epoch: 1, isPacked: true).run()
        try DurableFile.rename(kept + ".new", to: kept)
        var options = Baker.Options()
        options.fromStep = 2
        let baker = Baker(store: world.store, roots: roots) { _ in }
        let recipe = try Recipe(folder: world.folder.path + "/Images/child")
        #expect(try await baker.bake(recipe, options).first?.manifest.title == "child:1")
        #expect(FileStamp(of: kept) == nil)
    }

    @Test("a revoked parent makes no new image, and what was made of it before stays")
    func revoked() async throws {
        try write("child", from: "web:1")
        let child = try await bake("child")
        _ = try await world.store.revoke(try ImageReference("web:1"), why: "a hole in it")
        try write("other", from: "web:1")
        #expect(await code("other") == .imageRevoked)
        #expect(try world.store.find(try ImageReference("child:1")).manifest.digest == child.manifest.digest)
    }

    @Test("a parent that is revoked after its child's bake was planned, before it is read, makes no image either")
    func revokedMeanwhile() async throws {
        try write("child", from: "web:1")
        let (store, digest) = (world.store, parent.manifest.digest)
        let found = await code("child") { line in
            guard line.contains("step 1/") else { return }
            let tombstone = Revocation(digest, why: "a hole in it", names: ["web:1"], ancestor: nil)
            try? DurableFile.makeDirectory(store.root + "/revoked")
            try? DurableFile.writeJSON(tombstone, to: "\(store.root)/revoked/\(digest.hex).json")
        }
        #expect(found == .imageRevoked)
        #expect(throws: KilnError.self) { try store.find(try ImageReference("child:1")) }
    }

    @Test("a parent that is deleted meanwhile is named as missing; deleted later, its child stands alone")
    func removedMeanwhile() async throws {
        try write("child", from: "web:1")
        let store = world.store
        let found = await code("child") { line in
            if line.contains("step 1/") { _ = try? store.remove(ImageReference("web:1")) }
        }
        #expect(found == .imageMissing)
        let again = try await bake("child")
        _ = try store.remove(try ImageReference("web:1"))
        try await store.verify(again)
    }

    @Test("a parent's kept tree that is not what its listing says is named, and the disk is read instead")
    func changedTree() async throws {
        let (kept, plain) = (
            StepCache(store: world.store).tree(of: parent.manifest.digest), world.folder.path + "/plain.tar"
        )
        try await Command("zstd", ["-q", "-d", kept, "-o", plain]).run()
        let roots = ArchivedRoots(tar: plain)
        _ = try await world.store.list(parent, by: roots)
        let told = Mutex<[String]>([])
        let tell = { @Sendable (line: String) in told.withLock { $0.append(line) } }

        try write("child", from: "web:1")
        #expect(try await world.content("etc/one", of: try await bake("child", roots: roots, tell: tell)) == "1")
        #expect(!(told.withLock { $0.contains { $0.contains("is not the tree of") } }))

        let other = FileTree(path: world.folder.path + "/other")
        try DurableFile.makeDirectory(other.path)
        try await other.unpack(plain)
        try Data("2\n".utf8).write(to: URL(fileURLWithPath: other.path + "/etc/one"))
        try await other.archiving(to: kept + ".new", epoch: 1, isPacked: true).run()
        try DurableFile.rename(kept + ".new", to: kept)
        try write("second", from: "web:1")
        #expect(try await world.content("etc/one", of: try await bake("second", roots: roots, tell: tell)) == "1")
        let lines = told.withLock { $0 }.filter { $0.contains("is not the tree of web:1") }
        #expect(lines.count == 1 && lines.first?.hasSuffix("another /etc/one") == true, "\(lines)")
        #expect(FileStamp(of: kept) == nil, "what is wrong is kept no more")

        try Data("no archive".utf8).write(to: URL(fileURLWithPath: kept))
        try write("third", from: "web:1")
        #expect(try await world.content("etc/one", of: try await bake("third", roots: roots, tell: tell)) == "1")
    }

    @Test("a parent's channel that points to nothing is named, with the command that is missing")
    func channel() async throws {
        try write("child", from: "web@stable")
        let error = await #expect(throws: KilnError.self) { try await bake("child") }
        #expect(error?.code == .imageChannelMissing && error?.hint?.contains("kiln image promote web:") == true)
    }

    @Test("a chain of thirty parents is baked from its end, and every image knows all of them")
    func chain() async throws {
        for number in 1...30 { try write("c\(number)", from: number == 1 ? "web:1" : "c\(number - 1):1") }
        let last = try await bake("c30")
        #expect(last.manifest.ancestors.count == 30)
        #expect(last.manifest.ancestors.last == parent.manifest.digest)
        #expect(try await world.content("etc/one", of: last) == "1")
        #expect(try world.store.list().count == 31)
    }
}

/// Roots that all hold what one archive does.
private struct ArchivedRoots: RootInspection {
    let tar: String

    func writeListing(of disk: String, format: DiskFormat, to path: String) async throws {
        let entries = try await FileTree.listing(ofArchive: tar).root.entries
        let lines = entries.sorted { $0.key < $1.key }.map { $0.value.line($0.key) }
        let text = [RootListing.header] + lines + [RootListing.footer(lines.count), ""]
        try Data(text.joined(separator: "\n").utf8).write(to: URL(fileURLWithPath: path))
    }

    func archive(of disk: String, format: DiskFormat, to path: String) async throws {
        try FileManager.default.copyItem(atPath: tar, toPath: path)
    }
}
