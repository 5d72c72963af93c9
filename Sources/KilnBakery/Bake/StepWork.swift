import Foundation
import KilnEngine
import KilnModel
import KilnStore
import KilnSystem

/// Does one step on a workbench.
struct StepWork {
    let baker: Baker
    let bench: Workbench
    let plan: BakePlan

    /// - Returns: what is in the tree then, where that came out by the way.
    func perform(_ step: BakePlan.Step) async throws -> TreeListing? {
        switch step.work {
        case .debian(let debian): try await DebianTree(debian, plan.recipe.snapshot, bench, baker.tell).make()
        case .parent(let image): return try await take(image)
        case .provisioner(let provisioner): try await provision(provisioner)
        case .cleaning: try await clean()
        }
        return nil
    }

    private func take(_ image: StoredImage) async throws -> TreeListing? {
        let listing = try await unpack(image, into: bench.tree)
        guard let kernel = image.kernel else { return listing }
        try bench.takeBoot(from: URL(fileURLWithPath: kernel).deletingLastPathComponent().path)
        return listing
    }

    private func provision(_ provisioner: any Provisioner) async throws {
        let stage = try await StepFiles(provisioner, of: plan.recipe, in: bench.scratch)
        let room = ChrootRoom(
            root: bench.tree.path,
            recipe: stage.recipe,
            variables: bench.context.variables,
            log: bench.log
        )
        if let image = try provisioner.image.map(plan.taken.image) { room.lend(try await unpacked(image), as: "image") }
        try await provisioner.provision(room, bench.context)
        await Namespace.remove(bench.scratch)
        try bench.makeScratch()
    }

    /// The tree of an image of which a step takes files, in a folder that goes with the step's own files.
    private func unpacked(_ image: StoredImage) async throws -> String {
        let tree = FileTree(path: bench.scratch + "/image")
        try DurableFile.makeDirectory(tree.path)
        _ = try await unpack(image, into: tree)
        return tree.path
    }

    private func unpack(_ image: StoredImage, into tree: FileTree) async throws -> TreeListing? {
        // Nobody deletes or revokes it while it is read; it may have happened since the bake was planned.
        let lock = try await ImageLock.take(.shared, ofStore: baker.store.root, waiting: baker.tellWaiting)
        defer { withExtendedLifetime(lock) {} }
        _ = try baker.store.usable(image.manifest.exactly)
        return try await ParentTree(baker: baker, image: image).unpack(into: tree)
    }

    private func clean() async throws {
        let stage = bench.scratch + "/none"
        try DurableFile.makeDirectory(stage)
        let room = ChrootRoom(root: bench.tree.path, recipe: stage, variables: [:], log: bench.log)
        let arguments = ["/bin/sh", "-c", Cleaning.script, "cleaning", plan.recipe.name.text, plan.version.name]
        try await room.run(RoomCommand(arguments, timeout: .seconds(300), network: false))
        try await Namespace.command("/bin/sh", ["-c", Cleaning.emptying, "emptying", bench.tree.path]).run()
    }
}

/// The files of a recipe that a step uses, in a folder that holds no others: what it does not name, it does not find.
struct StepFiles {
    /// The folder that stands for the recipe's.
    let recipe: String

    init(_ provisioner: any Provisioner, of owner: Recipe, in folder: String) async throws {
        let beside = folder + "/files"
        recipe = "\(beside)/\(owner.name)"
        try DurableFile.makeDirectory(recipe)
        for name in provisioner.files { try await StepFiles.copy("\(owner.folder)/\(name)", to: "\(recipe)/\(name)") }
        let shared = RecipeFolder(path: owner.folder).shared
        for name in provisioner.shared { try await StepFiles.copy("\(shared)/\(name)", to: "\(beside)/\(name)") }
        // A step's key knows of modes only what may be executed; the rest is as the mask of whoever made the checkout was.
        try await Command("chmod", ["-R", "u=rwX,go=rX", "--", beside], deadline: .seconds(300)).run()
    }

    private static func copy(_ source: String, to target: String) async throws {
        let parent = URL(fileURLWithPath: target).deletingLastPathComponent().path
        try DurableFile.makeDirectory(parent)
        guard !FileManager.default.fileExists(atPath: target) else { return }
        // Owners are the step's affair, and a plain user could not keep them.
        try await Command("cp", ["-R", "--preserve=mode", "--", source, target], deadline: .seconds(300)).run()
    }
}
