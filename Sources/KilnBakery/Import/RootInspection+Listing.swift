import Foundation
import KilnEngine
import KilnModel
import KilnStore
import KilnSystem

extension ImageStore {
    /// Adds the listing of its root to an image that was sealed without; one whose root can't be listed stays as it is.
    ///
    /// - Throws: `KilnError` as `RootInspection.writeListing` and ``verify(_:)``.
    func list(_ image: StoredImage, by roots: any RootInspection) async throws -> StoredImage {
        guard image.paths == nil else { return image }
        try await verify(image)
        let work = try WorkFolder(in: work)
        let folder = work.path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        guard try await roots.isListed(image.disk, format: .qcow2, in: folder) else { return image }
        return try await BlockingWork.run { try addListing(in: folder, to: image) }
    }
}

extension RootInspection {
    /// Writes the listing of a disk into a folder; false where the disk holds no file system that can be listed.
    func isListed(_ disk: String, format: DiskFormat, in folder: String) async throws -> Bool {
        do {
            try await writeListing(of: disk, format: format, to: "\(folder)/\(ImageStore.pathsName)")
            return true
        } catch let error as KilnError where error.code == .driftNoFileSystem {
            return false
        }
    }
}
