import Foundation
import KilnModel
import KilnSystem

extension ImageStore {
    /// Removes the name that `reference` resolves to, and the content if no other name has it.
    ///
    /// Whether machines still stand on the image is for the caller to ask before. What is said of the image stays.
    ///
    /// - Throws: `KilnError` with code `image.missing`, or `image.in-use` where a channel points to it.
    /// - Returns: what was removed.
    @discardableResult
    public func remove(_ reference: ImageReference) throws -> StoredImage {
        let image = try find(reference)
        let manifest = image.manifest
        try requireNoChannel(on: manifest)
        let isNamed = try versions(of: manifest.name).contains { $0 == (manifest.version, manifest.digest) }
        if isNamed { try unlinkName("\(names(manifest.name))/\(manifest.version)") }
        rmdir(names(manifest.name))
        guard try !list().contains(where: { $0.manifest.digest == manifest.digest }) else { return image }
        // The rename takes the content away at once; the rest is only tidying.
        try DurableFile.makeDirectory(work)
        let grave = "\(work)/removed-\(UUID().uuidString)"
        try DurableFile.rename(content(manifest.digest), to: grave)
        unlink(stamp(manifest.digest))
        // From which other images would be made.
        unlink("\(root)/trees/\(manifest.digest.hex).tar.zst")
        try? FileManager.default.removeItem(atPath: grave)
        return image
    }

    private func requireNoChannel(on image: ImageManifest) throws {
        let pointing = try channels(of: image.name).filter { $0.current?.digest == image.digest }
        guard let first = pointing.first else { return }
        throw KilnError(
            .imageInUse,
            "\(image.title) is what \(pointing.map(\.title).joined(separator: ", ")) points to",
            hint: "point it elsewhere first, or back: 'kiln image promote \(image.name) --to \(first.name) --back'",
            exit: .blocked
        )
    }

    private func unlinkName(_ path: String) throws {
        guard unlink(path) == 0 else { throw FileError.failed(.fileUnwritable, "remove", path) }
        try DurableFile.synchronize(URL(fileURLWithPath: path).deletingLastPathComponent().path)
    }
}
