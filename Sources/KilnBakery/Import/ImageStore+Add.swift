import Foundation
import KilnEngine
import KilnModel
import KilnStore
import KilnSystem

extension ImageStore {
    /// Takes a disk that others made into the store: a qcow2 file or a raw disk, also packed, also from a server.
    ///
    /// An image appears in the store complete or not at all. What was downloaded stays for another time.
    ///
    /// - Parameters:
    ///   - source: where the disk comes from, and what it has to be.
    ///   - added: what is not to be found out of it.
    ///   - roots: lists its root, so that drift can be measured against it.
    ///   - note: takes a line whenever there is something to tell.
    /// - Throws: `KilnError` with code `image.exists`, `image.version-invalid`, `image.refused.REASON`, `image.check-failed`,
    ///   `image.not-unpacked`, `image.no-firmware`, `image.wrong-firmware`, `checksum.…`, `download.…`, `disk.…`, `file.…`,
    ///   `lock.held` or `tool.…`; `CancellationError`.
    public func add(
        _ source: DiskSource,
        as added: AddedImage,
        roots: any RootInspection,
        note: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws -> StoredImage {
        try await add(source, as: added, roots: roots, limits: DownloadLimits(), note: note)
    }

    func add(
        _ source: DiskSource,
        as added: AddedImage,
        roots: any RootInspection,
        limits: DownloadLimits,
        note: @escaping @Sendable (String) -> Void
    ) async throws -> StoredImage {
        try requireFreeName(added)
        removeAbandonedWork()
        let downloads = Downloads(of: self, limits: limits, tell: note)
        let work = try WorkFolder(in: work)
        defer { try? FileManager.default.removeItem(atPath: work.path) }
        let file = try await source.taken(into: work.path, by: downloads, note: note)
        let run = ImportRun(store: self, source: source, added: added, roots: roots, folder: work.path, note: note)
        return try await run.sealed(file)
    }

    private func requireFreeName(_ added: AddedImage) throws {
        guard ImageReference.acceptsVersion(added.version) else {
            throw KilnError(
                .imageVersionInvalid,
                "\(Name.quoted(added.version)) is not a version: expected up to 40 letters, digits, '.', '_', '+' and '-'",
                hint: "choose a version such as '1' or '2026.05'",
                exit: .usage
            )
        }
        // A recipe gives the name to what it says now.
        guard added.recipe == nil, try versions(of: added.name).contains(where: { $0.version == added.version }) else {
            return
        }
        throw KilnError(
            .imageExists,
            "the store has an image \(added.name):\(added.version) already",
            hint: "choose another version, or remove it with 'kiln image delete \(added.name):\(added.version)'",
            exit: .usage
        )
    }

    /// Removes what killed bakes and additions left behind.
    func removeAbandonedWork() {
        for folder in WorkFolder.abandoned(in: work) { try? FileManager.default.removeItem(atPath: folder) }
    }
}
