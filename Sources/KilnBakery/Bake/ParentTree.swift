import Foundation
import KilnEngine
import KilnModel
import KilnStore
import KilnSystem

/// The tree of an image from which another is made.
///
/// Whoever asks holds the store's lock meanwhile.
struct ParentTree {
    let baker: Baker
    let image: StoredImage

    /// Unpacks it into a folder that is empty.
    ///
    /// - Returns: what is in it, where that came out by the way.
    func unpack(into tree: FileTree) async throws -> TreeListing? {
        if let listing = try await unpackKept(into: tree) { return listing }
        // Of an image that was added, or baked by an older Kiln: read from its file system, without mounting it.
        let own = tree.path + ".tar"
        try await baker.roots.archive(of: image.disk, format: .qcow2, to: own)
        try await tree.unpack(own)
        unlink(own)
        return nil
    }

    /// Unpacks the tree that was kept beside an image, which is no part of what the image's digest vouches for; its listing is.
    ///
    /// - Returns: what is in it; nothing where it is not kept, or not the image's: then it is kept no more, and the folder is empty.
    private func unpackKept(into tree: FileTree) async throws -> TreeListing? {
        let archive = StepCache(store: baker.store).tree(of: image.manifest.digest)
        guard FileStamp(of: archive) != nil else { return nil }
        let fault: String
        do {
            try await tree.unpack(archive)
            let listing = try await tree.listing()
            guard let path = try difference(listing) else { return listing }
            fault = "it has another \(path)"
        } catch let error as KilnError where [.toolFailed, .bakeTreeUnreadable].contains(error.code) {
            fault = error.message
        }
        baker.tell(
            "\(archive) is not the tree of \(image.manifest.title); it is removed, and the disk is read: \(fault)"
        )
        unlink(archive)
        // What of it can't be removed is no part of the tree all the same; it goes with the bake.
        let wrong = tree.path + ".wrong"
        try DurableFile.rename(tree.path, to: wrong)
        try DurableFile.makeDirectory(tree.path)
        await Namespace.remove(wrong)
        return nil
    }

    private func difference(_ tree: TreeListing) throws -> RootPath? {
        // An image whose root could not be listed has only its tree.
        guard let paths = image.paths else { return nil }
        let data = try Data(contentsOf: URL(fileURLWithPath: paths))
        return tree.difference(from: try RootListing(data, of: image.manifest.title))
    }
}
