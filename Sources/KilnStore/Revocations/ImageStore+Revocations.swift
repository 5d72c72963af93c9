import Foundation
import KilnModel
import KilnSystem

extension ImageStore {
    /// The longest reason that is kept, in bytes.
    public static let longestReason = 1_000

    /// What is said of an image that is revoked; nothing where it is not.
    ///
    /// - Throws: `KilnError` with code `state.unreadable`.
    public func revocation(of image: ImageDigest) throws -> Revocation? {
        try DurableFile.readJSON(Revocation.self, from: tombstone(image))
    }

    /// All tombstones, by digest; also those of images that are gone.
    ///
    /// - Throws: `KilnError` with code `state.unreadable`.
    public func revocations() throws -> [Revocation] {
        try children(of: root + "/revoked").filter { $0.hasSuffix(".json") }
            .compactMap { ImageDigest(String($0.dropLast(5))) }.compactMap(revocation)
    }

    /// Revokes an image: from now on no new generation is made from it.
    ///
    /// One that is revoked already stays as it is. What was made from it goes on; nobody uses the store meanwhile.
    ///
    /// - Parameters:
    ///   - why: what is told to whoever asks for it.
    ///   - descendants: whether all that was baked from it is revoked with it.
    ///   - waiting: is told for whom it waits, when it has to.
    /// - Returns: the tombstones, its own first.
    /// - Throws: `KilnError` with code `image.missing`, `image.reason-invalid`, or of the store's lock.
    public func revoke(
        _ reference: ImageReference,
        why: String,
        descendants: Bool = false,
        waiting: @Sendable (KilnError) -> Void = { _ in }
    ) async throws -> [Revocation] {
        try requireReason(why)
        return try await alone(waiting) {
            let image = try find(reference).manifest.digest
            let catalog = try catalog()
            let below = descendants ? catalog.descendants(of: image) : []
            let first = try entomb(image, why, catalog, ancestor: nil)
            return try [first] + below.map { try entomb($0, why, catalog, ancestor: image) }
        }
    }

    /// Takes a revocation back; descendants that were revoked with the image stay so.
    ///
    /// - Parameters:
    ///   - reference: an image of the store, or one that is gone, by its digest or by what it was called.
    ///   - waiting: is told for whom it waits, when it has to.
    /// - Returns: the tombstone that was removed.
    /// - Throws: `KilnError` with code `image.not-revoked`, or of the store's lock.
    public func restore(
        _ reference: ImageReference,
        waiting: @Sendable (KilnError) -> Void = { _ in }
    ) async throws -> Revocation {
        try await alone(waiting) {
            guard let revocation = try revocation(named: reference) else { throw notRevoked(reference) }
            try DurableFile.remove(tombstone(revocation.digest))
            try DurableFile.synchronizeDirectory(of: tombstone(revocation.digest))
            return revocation
        }
    }

    /// Refuses content that is revoked.
    ///
    /// - Throws: `KilnError` with code `image.revoked`.
    func requireNotRevoked(_ image: ImageDigest, as title: String) throws {
        guard let revocation = try revocation(of: image) else { return }
        throw KilnError(
            .imageRevoked,
            "\(title) has the content \(image.short), which was revoked as "
                + "\(revocation.names.joined(separator: ", ")): \(revocation.why)",
            hint: "where that was a mistake: 'kiln image restore \(revocation.names.first ?? title)'",
            exit: .aborted
        )
    }

    private func entomb(
        _ image: ImageDigest,
        _ why: String,
        _ catalog: ImageCatalog,
        ancestor: ImageDigest?
    ) throws -> Revocation {
        if let known = catalog.revocations[image] { return known }
        let revocation = Revocation(image, why: why, names: catalog.titles(of: image), ancestor: ancestor)
        try DurableFile.makeDirectory(root + "/revoked")
        try DurableFile.writeJSON(revocation, to: tombstone(image))
        return revocation
    }

    private func revocation(named reference: ImageReference) throws -> Revocation? {
        if let image = try? find(reference).manifest.digest { return try revocation(of: image) }
        return try revocations().last { revocation in
            switch reference.selector {
            case .digest(let digest): revocation.digest == digest
            case .version, .latest, .channel: revocation.names.contains(reference.description)
            }
        }
    }

    private func tombstone(_ image: ImageDigest) -> String { "\(root)/revoked/\(image.hex).json" }

    private func requireReason(_ why: String) throws {
        let isBlank = why.allSatisfy(\.isWhitespace)
        guard isBlank || why.utf8.count > ImageStore.longestReason else { return }
        throw KilnError(
            .imageReasonInvalid,
            "an image is revoked for a reason of 1 to \(ImageStore.longestReason) bytes, found "
                + (isBlank ? "none" : "\(why.utf8.count)"),
            hint: "say it: --why 'CVE-2026-1234 in libexample'",
            exit: .usage
        )
    }

    private func notRevoked(_ reference: ImageReference) -> KilnError {
        KilnError(
            .imageNotRevoked,
            "the image \(reference) is not revoked",
            hint: "'kiln image list' tells which are",
            exit: .usage
        )
    }
}
