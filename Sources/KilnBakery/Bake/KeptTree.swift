import Foundation
import KilnModel
import KilnStore
import KilnSystem

/// The tree of a bake that failed, which stays for a look and to go on from: one for each version, the last.
package struct KeptTree: Sendable {
    private let store: ImageStore
    private let name: Name
    private let version: String

    package init(store: ImageStore, name: Name, version: String) {
        self.store = store
        self.name = name
        self.version = version
    }

    private var folder: String { "\(store.root)/kept/\(name)/\(version)" }
    /// The tree.
    var path: String { folder + "/tree" }

    /// The disk of a bake in a machine, which has no tree.
    private var disk: String { folder + "/\(ImageStore.diskName)" }

    /// The number of the step that failed, from 1; nothing where no tree is kept.
    var step: Int? {
        FileManager.default.contents(atPath: folder + "/step")
            .flatMap { Int(String(decoding: $0, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)) }
    }

    /// Keeps the tree of a workbench, in place of an older one.
    func keep(_ bench: Workbench, step: Int) async throws {
        await Namespace.remove(folder)
        try DurableFile.makeDirectory(folder)
        try Namespace.makePrivate(folder)
        try DurableFile.rename(bench.tree.path, to: path)
        try DurableFile.rename(bench.boot, to: folder + "/boot")
        try DurableFile.write(Data("\(step)\n".utf8), to: folder + "/step")
    }

    /// Keeps what a machine of the bake had on its disk, in place of what is older.
    ///
    /// - Parameter make: makes the disk at a path, and what else there is in the folder.
    /// - Returns: the path of the disk.
    func keepDisk(_ make: (_ disk: String, _ folder: String) async throws -> Void) async throws -> String {
        await Namespace.remove(folder)
        try DurableFile.makeDirectory(folder)
        do {
            try await make(disk, folder)
            return disk
        } catch {
            await Namespace.remove(folder)
            throw error
        }
    }

    /// Removes the tree, once the version is baked.
    func remove() async { await Namespace.remove(folder) }

    /// Puts the tree on a workbench, to go on at a step.
    ///
    /// - Returns: how many steps are done.
    /// - Throws: `KilnError` with code `bake.nothing-kept` where no tree is kept that got so far.
    func takeUp(on bench: Workbench, step number: Int, of plan: BakePlan) async throws -> Int {
        guard let step, (1...step).contains(number), number <= plan.steps.count else {
            let found = step.map { "a tree that failed at step \($0)" } ?? "no tree of a bake that failed"
            throw KilnError(
                .bakeNothingKept,
                "\(plan.title) can't go on at step \(number) of \(plan.steps.count): there is \(found)",
                hint: "bake it without --from-step",
                exit: .usage
            )
        }
        try await Namespace.command("cp", ["-a", "--reflink=auto", path + "/.", bench.tree.path]).run()
        try bench.takeBoot(from: folder + "/boot")
        return number - 1
    }

    /// The command that opens a shell in the tree, and the variables that it needs.
    ///
    /// - Throws: `KilnError` with code `bake.nothing-kept`.
    package func shell() throws -> (arguments: [String], variables: [String: String]) {
        guard FileStamp(of: disk) == nil else {
            throw KilnError(
                .bakeNothingKept,
                "\(name):\(version) was baked in a machine, so there is no tree to enter: what is kept is its disk, \(disk)",
                hint:
                    "look at it in a machine: 'kiln image add \(disk) --as \(name)-failed:\(version)', where it has partitions",
                exit: .usage
            )
        }
        guard step != nil else {
            throw KilnError(
                .bakeNothingKept,
                "no tree of a bake of \(name):\(version) that failed is kept",
                hint: "trees of bakes that succeed are not; start a server of the image instead",
                exit: .usage
            )
        }
        let recipe = folder + "/none"
        try DurableFile.makeDirectory(recipe)
        let line = ChrootRoom.line(root: path, recipe: recipe, network: true, ["/bin/sh"])
        return (line, RoomScript.variables)
    }
}
