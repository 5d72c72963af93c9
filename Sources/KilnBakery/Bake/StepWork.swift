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

    func perform(_ step: BakePlan.Step) async throws {
        switch step.work {
        case .debian(let debian): try await DebianTree(debian, plan.recipe.snapshot, bench, baker.tell).make()
        case .parent(let image): try await take(image)
        case .provisioner(let provisioner): try await provision(provisioner)
        case .cleaning: try await clean()
        }
    }

    private func take(_ image: StoredImage) async throws {
        // Nobody deletes or revokes it while it is read; it may have happened since the bake was planned.
        let lock = try await ImageLock.take(.shared, ofStore: baker.store.root, waiting: baker.tellWaiting)
        defer { withExtendedLifetime(lock) {} }
        _ = try baker.store.usable(image.manifest.exactly)
        let archive = StepCache(store: baker.store).tree(of: image.manifest.digest)
        if FileStamp(of: archive) != nil {
            try await bench.tree.unpack(archive)
        } else {
            // Of an image that was added, or baked by an older Kiln: read from its file system, without mounting it.
            let own = bench.folder + "/parent.tar"
            try await baker.roots.archive(of: image.disk, format: .qcow2, to: own)
            try await bench.tree.unpack(own)
            unlink(own)
        }
        guard let kernel = image.kernel else { return }
        try bench.takeBoot(from: URL(fileURLWithPath: kernel).deletingLastPathComponent().path)
    }

    private func provision(_ provisioner: any Provisioner) async throws {
        let stage = try await StepFiles(provisioner, of: plan.recipe, in: bench.scratch)
        let room = ChrootRoom(
            root: bench.tree.path,
            recipe: stage.recipe,
            variables: bench.context.variables,
            log: bench.log
        )
        try await provisioner.provision(room, bench.context)
        await Namespace.remove(bench.scratch)
        try DurableFile.makeDirectory(bench.scratch)
    }

    private func clean() async throws {
        let stage = bench.scratch + "/none"
        try DurableFile.makeDirectory(stage)
        let room = ChrootRoom(root: bench.tree.path, recipe: stage, variables: [:], log: bench.log)
        let arguments = ["/bin/sh", "-c", Cleaning.script, "cleaning", plan.recipe.name.text, plan.version.name]
        try await room.run(RoomCommand(arguments, timeout: .seconds(300), network: false))
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
    }

    private static func copy(_ source: String, to target: String) async throws {
        let parent = URL(fileURLWithPath: target).deletingLastPathComponent().path
        try DurableFile.makeDirectory(parent)
        guard !FileManager.default.fileExists(atPath: target) else { return }
        // Owners are the step's affair, and a plain user could not keep them.
        try await Command("cp", ["-R", "--preserve=mode", "--", source, target], deadline: .seconds(300)).run()
    }
}
