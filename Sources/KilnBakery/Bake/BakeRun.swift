import Foundation
import KilnEngine
import KilnModel
import KilnStore
import KilnSystem

/// The making of one version from the fetched tree.
struct BakeRun {
    let baker: Baker
    let recipe: Recipe
    let assembly: Recipe.Assembly
    let version: Recipe.Version
    let tree: String
    let folder: String

    private var scratch: String { "\(folder)/\(version.name)" }
    private var root: String { scratch + "/root" }
    private var boot: String { scratch + "/boot" }
    private var draft: String { scratch + "/draft" }

    func run() async throws {
        for path in [scratch + "/tree", root, boot, draft] { try DurableFile.makeDirectory(path) }
        baker.tell("\(recipe.name):\(version.name): assembling the root file system")
        try await FileTree(path: scratch + "/tree").unpack(tree)
        try await assemble()
        baker.tell("\(recipe.name):\(version.name): making the disk")
        try await makeDisk()
        baker.tell("\(recipe.name):\(version.name): sealing")
        let image = try await seal()
        baker.tell("\(recipe.name):\(version.name) is \(image.manifest.digest)")
        await Namespace.remove(scratch)
    }

    private func assemble() async throws {
        let environment = version.variables.merging([
            "KILN_TREE": scratch + "/tree",
            "KILN_ROOT": root,
            "KILN_BOOT": boot,
            "KILN_RECIPE": recipe.folder,
            "KILN_SHARED": URL(fileURLWithPath: recipe.folder).deletingLastPathComponent().path,
            "KILN_NAME": recipe.name.text,
            "KILN_VERSION": version.name,
        ]) { _, kiln in kiln }
        let command = Namespace.command("\(recipe.folder)/\(assembly.program)", [], environment: environment)
        _ = try await command.lines { [tell = baker.tell] in tell("  \($0)") }
        for file in ["kernel", "initrd"] {
            guard FileStamp(of: "\(boot)/\(file)") != nil else {
                throw KilnError(
                    .bakeIncomplete,
                    "\(assembly.program) of the recipe \(recipe.name) made no file $KILN_BOOT/\(file)",
                    hint: "see \(recipe.folder)/\(assembly.program)"
                )
            }
            try DurableFile.rename("\(boot)/\(file)", to: "\(draft)/\(file)")
        }
    }

    private func makeDisk() async throws {
        let raw = scratch + "/disk.raw"
        try await FileTree(path: root).makeDisk(at: raw, size: assembly.disk)
        try await Command.bake(
            "qemu-img",
            ["convert", "-f", "raw", "-O", "qcow2", raw, "\(draft)/\(ImageStore.diskName)"]
        ).run()
        _ = try await baker.roots.isListed(raw, format: .raw, in: draft)
        unlink(raw)
    }

    private func seal() async throws -> StoredImage {
        var draft = ImageStore.Draft(
            folder: draft,
            name: recipe.name,
            version: version.name,
            boot: .direct(commandLine: assembly.commandLine),
            cloudInit: recipe.cloudInit,
            ssh: recipe.ssh,
            size: recipe.size,
            ephemeral: recipe.ephemeral
        )
        draft.cloudInitModules = recipe.cloudInitModules
        draft.volatileRoot = recipe.volatileRoot
        draft.packages = try packages()
        draft.recipe = try recipe.contentDigest(of: version)
        return try await baker.store.sealed(draft)
    }

    /// The lines `NAME TAB VERSION` that the recipe left.
    private func packages() throws -> [ImageManifest.Package] {
        let text = String(
            decoding: FileManager.default.contents(atPath: boot + "/packages") ?? Data(),
            as: UTF8.self
        )
        return text.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: "\t").map(String.init)
            return fields.count == 2 ? ImageManifest.Package(name: fields[0], version: fields[1]) : nil
        }.sorted { $0.name < $1.name }
    }
}
