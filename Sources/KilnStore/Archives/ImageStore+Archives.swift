import Foundation
import KilnModel
import KilnSystem

extension ImageStore {
    /// Writes an image, with its attestations, to a new file that stands alone; the same bytes each time.
    ///
    /// - Parameters:
    ///   - ways: how the file gets its name, where its file system lets it.
    ///   - waiting: is told for whom it waits, when it has to.
    /// - Throws: `KilnError` as ``verifiedImage(_:for:)``, and with code `disk.exists` or `file.unwritable`.
    public func exportImage(
        _ reference: ImageReference,
        to path: String,
        by ways: [NewName] = NewName.allCases,
        waiting: @Sendable (KilnError) -> Void = { _ in }
    ) async throws -> StoredImage {
        var status = stat()
        guard lstat(path, &status) != 0 else { throw taken(path) }
        let lock = try await ImageLock.take(.shared, ofStore: root, waiting: waiting)
        defer { withExtendedLifetime(lock) {} }
        let image = try await verifiedImage(reference, for: .existing)
        let attestations = try attestations(of: image.manifest.digest).map(\.attestation)
        try await BlockingWork.run {
            // A name of its own length: with the file's in it, it could be too long.
            let draft = "\(DurableFile.directory(of: path))/.kiln-\(UUID().uuidString)"
            defer { unlink(draft) }
            try write(image, attestations, to: draft)
            try publish(draft, as: path, by: ways)
        }
        return image
    }

    /// Takes an image out of a file that ``exportImage(_:to:by:waiting:)`` wrote, or anybody.
    ///
    /// It appears in the store whole, and its content as the digests say, or not at all. For its attestations the other
    /// store's word is taken, unless this one has tested the same content.
    ///
    /// - Parameter waiting: is told for whom it waits, when it has to.
    /// - Throws: `KilnError` with code `image.archive-refused`, `image.exists`, `image.revoked`, `image.refused.REASON`,
    ///   `file.unreadable`, `file.not-regular` or `file.unwritable`.
    public func importImage(
        from path: String,
        waiting: @Sendable (KilnError) -> Void = { _ in }
    ) async throws -> StoredImage {
        removeAbandoned()
        let work = try WorkFolder(in: work)
        let draft = "\(work.path)/draft"
        defer { try? FileManager.default.removeItem(atPath: work.path) }
        try DurableFile.makeDirectory(draft)
        let incoming = try await BlockingWork.run {
            let content = try ImageArchive.unpack(path, into: draft)
            return try IncomingImage(content, from: path, in: draft)
        }
        try Failpoint()?.hit("import.unpacked")
        let lock = try await ImageLock.take(.shared, ofStore: root, waiting: waiting)
        defer { withExtendedLifetime(lock) {} }
        try requireFree(incoming.manifest)
        let image = try await BlockingWork.run {
            for file in incoming.files { try sealFile("\(draft)/\(file)") }
            return try seal(incoming.manifest, from: draft, as: .none)
        }
        guard try attestations(of: image.manifest.digest).isEmpty else { return image }
        for attestation in incoming.attestations { try attest(attestation, isImported: true) }
        return image
    }

    /// Removes what killed bakes, additions and imports left behind, as far as this user can, or only tells.
    ///
    /// - Returns: the folders that are gone, or would be.
    @discardableResult
    package func removeAbandoned(dryRun: Bool = false) -> [String] {
        let found = WorkFolder.abandoned(in: work)
        return dryRun ? found : found.filter { (try? FileManager.default.removeItem(atPath: $0)) != nil }
    }

    private func write(_ image: StoredImage, _ attestations: [Attestation], to path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        var writer = try ImageArchiveWriter(path)
        let files = [
            "kernel": image.kernel, "initrd": image.initrd, ImageStore.pathsName: image.paths,
            ImageStore.diskName: image.disk,
        ]
        for (name, _) in ImageArchive.files {
            switch name {
            case ImageStore.manifestName: try writer.append(name, try encoder.encode(image.manifest))
            case ImageArchive.attestationsName: try writer.append(name, try encoder.encode(attestations))
            default: if let file = files[name] ?? nil { try writer.append(name, from: file) }
            }
        }
        try writer.finish()
    }

    // What is there already is somebody's, and stays.
    private func publish(_ draft: String, as path: String, by ways: [NewName]) throws {
        switch NewName.give(path, to: draft, by: ways) {
        case 0: try DurableFile.synchronizeDirectory(of: path)
        // A file that came meanwhile.
        case EEXIST: throw taken(path)
        case let number:
            errno = number
            throw FileError.failed(.fileUnwritable, "make", path)
        }
    }

    private func taken(_ path: String) -> KilnError {
        KilnError(
            .diskExists,
            "\(path) exists already",
            hint: "name a file that is not there yet",
            exit: .aborted
        )
    }

    private func requireFree(_ image: ImageManifest) throws {
        guard try versions(of: image.name).contains(where: { $0.version == image.version }) else { return }
        throw KilnError(
            .imageExists,
            "the store has an image \(image.title) already",
            hint: "remove it first, if that is what you want: 'kiln image delete \(image.title)'",
            exit: .usage
        )
    }
}
