import Glibc
import KilnModel
import KilnSystem

/// What keeps an image from being deleted while somebody begins to need it.
///
/// Who needs one shares a lock of the store until the need is written down; who deletes one has the lock alone, from the
/// question who needs it to its end.
public enum ImageLock {
    /// Longer than the largest image takes to be verified.
    private static let patience = Duration.seconds(120)

    /// Takes the lock of the store at `root`, which is made where it is absent.
    ///
    /// Nothing is taken in a store of somebody else's, from which nothing was ever deleted: only who may write to it can make
    /// the lock's file.
    ///
    /// - Throws: `lock.held`, naming who has it, after a while; `state.not-writable`.
    public static func take(
        _ kind: KernelLock.Kind,
        ofStore root: String,
        waiting: @Sendable (KilnError) -> Void = { _ in }
    ) async throws -> FileLock? {
        try DurableFile.makeDirectory(root)
        if kind == .shared, access(root, W_OK) != 0, access(root + "/lock", R_OK) != 0 { return nil }
        return try await FileLock.whenFree(
            root + "/lock",
            subject: "the image store",
            kind: kind,
            within: patience,
            waiting: waiting
        )
    }
}
