import KilnEngine
import KilnModel
import KilnStore

/// What is said of images: of copies, in a home of the run's own. So nothing has to be taken back, and nothing stays where the
/// run is killed.
extension FaultGround {
    /// Revokes an image.
    ///
    /// - Throws: `fault.impossible` where the run has no home of its own; as the store's own.
    package func revoke(_ image: ImageReference, why: String) async throws {
        _ = try await ownStore().revoke(try pinned(image), why: why)
    }

    /// Points a channel to an image.
    ///
    /// - Throws: as ``revoke(_:why:)``.
    package func promote(_ image: ImageReference, to channel: Name) async throws {
        _ = try await ownStore().promote(try pinned(image), to: channel)
    }

    private func ownStore() throws -> ImageStore {
        _ = try ownHome()
        guard let store = parts.images as? ImageStore else {
            throw FaultGround.impossible("this run has no image store of its own")
        }
        return store
    }
}
