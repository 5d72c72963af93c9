import KilnModel
import KilnSystem

extension ImageStore {
    /// Does something while nobody else uses the store.
    ///
    /// - Parameter waiting: is told for whom it waits, when it has to.
    /// - Throws: `lock.held`, after a while, and what `body` throws.
    func alone<Result>(
        _ waiting: @Sendable (KilnError) -> Void,
        _ body: () throws -> Result
    ) async throws -> Result {
        let lock = try await ImageLock.take(.exclusive, ofStore: root, waiting: waiting)
        defer { withExtendedLifetime(lock) {} }
        return try body()
    }

    /// The image that `reference` names, for a generation or another image to be made from it: it is not revoked, and what a
    /// channel points to has passed its tests, whatever the policy is.
    ///
    /// Its content is not looked at; see ``verifiedImage(_:for:)``.
    ///
    /// - Throws: `KilnError` as ``find(_:)``, and with code `image.revoked` or `image.not-attested`.
    public func usable(_ reference: ImageReference, _ policy: ImagePolicy = .any) throws -> StoredImage {
        let image = try find(reference)
        let manifest = image.manifest
        if let revocation = try revocation(of: manifest.digest) { throw try revoked(manifest, revocation, reference) }
        if policy == .any, !reference.isChannel { return image }
        let verdict = try verdict(on: manifest)
        guard verdict == .passed else { throw notAttested(manifest, verdict, reference) }
        return image
    }

    private func revoked(
        _ image: ImageManifest,
        _ revocation: Revocation,
        _ reference: ImageReference
    ) throws -> KilnError {
        let newest = try versions(of: image.name).last { try self.revocation(of: $0.digest) == nil }
        let good = newest.map { "the newest version that is not revoked is \(image.name):\($0.version)" }
        return KilnError(
            .imageRevoked,
            "\(subject(image, reference)) is revoked: \(revocation.why)",
            hint: good ?? "no version of \(image.name) is left: bake or add a new one",
            exit: .aborted
        )
    }

    private func notAttested(
        _ image: ImageManifest,
        _ verdict: TestVerdict,
        _ reference: ImageReference
    ) -> KilnError {
        let found =
            switch verdict {
            case .untested, .passed: "it was not tested"
            case .flaky: "its last tests were flaky, which is no pass"
            case .failed: "its last tests failed"
            }
        return KilnError(
            .imageNotAttested,
            "\(subject(image, reference)) has to have passed its tests, and \(found)",
            hint: "test it: 'kiln image test \(image.title)'",
            exit: .aborted
        )
    }

    private func subject(_ image: ImageManifest, _ reference: ImageReference) -> String {
        reference.isChannel ? "the image \(image.title), to which \(reference) points," : "the image \(image.title)"
    }
}

extension ImageReference {
    fileprivate var isChannel: Bool {
        if case .channel = selector { true } else { false }
    }
}
