import Foundation
import KilnModel
import KilnSystem
import KilnTestSupport
import Synchronization

@testable import KilnBakery
@testable import KilnStore

/// A recipe `web` whose tree begins as busybox, and a store to bake it into; nothing is fetched.
final class BakeWorld: Sendable {
    let folder: TemporaryDirectory
    let store: ImageStore
    private let told = Mutex<[String]>([])

    init(provision: String, versions: String = "{ \"1\": { GREETING: hello } }") throws {
        folder = try TemporaryDirectory()
        store = ImageStore(root: folder.path + "/store")
        try write(provision: provision, versions: versions)
    }

    /// Writes the recipe anew.
    func write(
        provision: String,
        versions: String = "{ \"1\": { GREETING: hello } }",
        more: String = ""
    ) throws {
        let text = """
            kiln-image: 1
            name: web
            about: A server.
            debian: { suite: trixie, variant: minbase }
            provision: \(provision)
            disk: 24MiB
            command-line: quiet
            memory: 256MiB
            processors: 1
            cloud-init: none
            ssh: false
            versions: \(versions)
            \(more)
            """
        _ = try folder.file("Images/web/image.yaml", Array(text.utf8))
    }

    /// A program of the recipe.
    func program(_ name: String, _ script: String) throws {
        chmod(try folder.file("Images/web/\(name)", Array("#!/bin/sh\nset -e\n\(script)\n".utf8)), 0o755)
    }

    var recipe: Recipe { get throws { try Recipe(folder: folder.path + "/Images/web") } }

    /// Bakes the recipe; what it begins as is there already.
    func bake(_ options: Baker.Options = Baker.Options()) async throws -> [StoredImage] {
        let recipe = try recipe
        try await begin()
        let baker = Baker(store: store, roots: UnlistedRoots()) { line in self.told.withLock { $0.append(line) } }
        return try await baker.bake(recipe, options)
    }

    /// Makes what the recipe's versions begin as.
    func begin() async throws {
        let recipe = try recipe
        // All of them begin as the same tree.
        for version in recipe.versions where recipe.provisioners(of: version).allSatisfy({ $0.image == nil }) {
            try await begin(recipe, version)
        }
    }

    /// What was told since the last question.
    func lines() -> [String] {
        told.withLock { lines in
            defer { lines = [] }
            return lines
        }
    }

    /// A file of an image's tree.
    func content(_ path: String, of image: StoredImage) async throws -> String {
        let archive = StepCache(store: store).tree(of: image.manifest.digest)
        return try await Command("tar", ["-xOf", archive, "./" + path]).run().text
    }

    private func begin(_ recipe: Recipe, _ version: Recipe.Version) async throws {
        let plan = try BakePlan(recipe, version, parent: nil, tools: try await BakeTools.onThisHost())
        let cache = StepCache(store: store)
        guard let base = plan.steps.first, cache.record(base.key) == nil else { return }
        let draft = folder.path + "/base-\(UUID().uuidString)"
        for name in ["bin", "etc", "dev", "usr/bin"] {
            try DurableFile.makeDirectory("\(draft)/tree/\(name)")
        }
        try Data("root:x:0:0:root:/root:/bin/sh\n".utf8).write(to: URL(fileURLWithPath: draft + "/tree/etc/passwd"))
        try Data("root:x:0:\n".utf8).write(to: URL(fileURLWithPath: draft + "/tree/etc/group"))
        try FileManager.default.copyItem(atPath: "/usr/bin/busybox", toPath: draft + "/tree/bin/busybox")
        let applets = [
            "sh", "cat", "ls", "id", "sleep", "rm", "mkdir", "chmod", "chown", "cp", "ln", "find", "dirname",
            "readlink",
        ]
        for applet in applets {
            try FileManager.default.createSymbolicLink(
                atPath: "\(draft)/tree/bin/\(applet)",
                withDestinationPath: "busybox"
            )
        }
        _ = try folder.file("\(draft.dropFirst(folder.path.count + 1))/step/boot/kernel", [1])
        _ = try folder.file("\(draft.dropFirst(folder.path.count + 1))/step/boot/initrd", [2])
        try await FileTree(path: draft + "/tree").archiving(to: draft + "/step/tree.tar.zst", epoch: 1, isPacked: true)
            .run()
        try cache.take(
            draft + "/step",
            as: base.key,
            StepCache.Record(
                made: plan.title,
                summary: base.summary,
                material: base.material,
                changes: nil,
                seconds: 0,
                ended: 0
            )
        )
    }
}
