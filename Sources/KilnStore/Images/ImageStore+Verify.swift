import Foundation
import KilnModel
import KilnSystem

extension ImageStore: ImageSource {
    /// The image that `reference` names, vouched for: nothing was written to its files since their content was last
    /// compared with the digests, or else that is done now.
    ///
    /// - Throws: `KilnError` with code `image.missing`, `image.channel-missing`, `image.manifest-damaged`,
    ///   `image.file-missing` or `image.digest-mismatch`; for a new generation also `image.revoked` and `image.not-attested`.
    public func verifiedImage(_ reference: ImageReference, for purpose: ImagePurpose) async throws -> StoredImage {
        let image: StoredImage =
            switch purpose {
            case .newGeneration(let policy): try usable(reference, policy)
            case .existing: try find(reference)
            }
        if !isUntouched(image) { try await verify(image) }
        return image
    }

    /// Compares the content of every file of the image with its digest, and remembers that it was done.
    ///
    /// - Throws: `KilnError` with code `image.file-missing` or `image.digest-mismatch`.
    public func verify(_ image: StoredImage) async throws {
        try await BlockingWork.run { try self.verifyNow(image) }
    }

    /// Whether no file of the image was touched since it was last verified.
    ///
    /// Reads no content.
    func isUntouched(_ image: StoredImage) -> Bool {
        guard let bytes = FileManager.default.contents(atPath: stamp(image.manifest.digest)),
            let recorded = try? JSONDecoder().decode([String: FileStamp].self, from: bytes)
        else { return false }
        return recorded == stamps(of: image)
    }

    func verifyNow(_ image: StoredImage) throws {
        let folder = content(image.manifest.digest)
        // Taken first: a write during the comparison then shows as a difference the next time.
        let stamps = stamps(of: image)
        for (file, expected) in expectedDigests(image.manifest).sorted(by: { $0.key < $1.key }) {
            guard stamps[file] != nil else { throw fileMissing(image.manifest, "\(folder)/\(file)") }
            let found = try FileDigest.sha256(of: "\(folder)/\(file)")
            guard found == expected else { throw mismatch(image.manifest, "\(folder)/\(file)", expected, found) }
        }
        try DurableFile.makeDirectory(root + "/stamps")
        try DurableFile.write(JSONEncoder().encode(stamps), to: stamp(image.manifest.digest))
    }

    private func stamps(of image: StoredImage) -> [String: FileStamp] {
        let folder = content(image.manifest.digest)
        return Dictionary(
            uniqueKeysWithValues: expectedDigests(image.manifest).keys.compactMap { file in
                FileStamp(of: "\(folder)/\(file)").map { (file, $0) }
            }
        )
    }

    private func expectedDigests(_ manifest: ImageManifest) -> [String: ImageDigest] {
        // A manifest is data: only the files that an image can have are ever looked at.
        var expected = manifest.files.filter { ["kernel", "initrd", ImageStore.pathsName].contains($0.key) }
        expected[ImageStore.diskName] = manifest.digest
        return expected
    }

    private func mismatch(
        _ manifest: ImageManifest,
        _ path: String,
        _ expected: ImageDigest,
        _ found: ImageDigest
    ) -> KilnError {
        KilnError(
            .imageDigestMismatch,
            "the image \(manifest.name):\(manifest.version) was changed: \(path) should be \(expected) and is \(found)",
            hint: "remove it with 'kiln image delete \(manifest.name):\(manifest.version)' and bake or add it again",
            exit: .unmet
        )
    }

    private func fileMissing(_ manifest: ImageManifest, _ path: String) -> KilnError {
        KilnError(
            .imageFileMissing,
            "the image \(manifest.name):\(manifest.version) has lost \(path)",
            hint: "remove it with 'kiln image delete \(manifest.name):\(manifest.version)' and bake or add it again",
            exit: .unmet
        )
    }
}
