import Foundation
import KilnEngine
import KilnModel
import KilnStore
import KilnSystem

/// A kernel's modules go with the kernel, which is the parent's and lies beside the tree.
struct ModulesReview {
    let baker: Baker
    let plan: BakePlan
    let bench: Workbench

    private static let modules = RootPath("/usr/lib/modules")

    /// Looks at what one step changed.
    ///
    /// - Throws: `KilnError` with code `bake.modules-changed`.
    func review(_ changes: TreeChanges, _ subject: String) throws {
        guard plan.parent != nil, let modules = ModulesReview.modules, changes.touches(modules), !bench.hasOwnInitrd
        else { return }
        throw KilnError(
            .bakeModulesChanged,
            "\(subject) changed /usr/lib/modules, but left no initrd of its own: the image would boot with its parent's kernel",
            hint:
                "make the image from 'debian:' with that kernel, or let a program 'outside: true' put kernel and initrd into $KILN_BOOT",
            exit: .aborted
        )
    }

    /// Compares a tree that a person went on with with the parent's: the step that was refused has changed it already.
    ///
    /// - Throws: `KilnError` with code `bake.modules-changed`, or as the parent's tree is read.
    func reviewKept() async throws {
        guard let parent = plan.parent, !bench.hasOwnInitrd else { return }
        let tree = FileTree(path: bench.folder + "/parent")
        try DurableFile.makeDirectory(tree.path)
        let before = try await listing(of: parent, in: tree)
        await Namespace.remove(tree.path)
        try review(try await bench.tree.listing().changes(since: before), "the tree that it went on with")
    }

    private func listing(of parent: StoredImage, in tree: FileTree) async throws -> TreeListing {
        let lock = try await ImageLock.take(.shared, ofStore: baker.store.root, waiting: baker.tellWaiting)
        defer { withExtendedLifetime(lock) {} }
        if let known = try await ParentTree(baker: baker, image: parent).unpack(into: tree) { return known }
        return try await tree.listing()
    }
}
