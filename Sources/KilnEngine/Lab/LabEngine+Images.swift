import KilnModel
import KilnStore
import KilnSystem

extension LabEngine {
    /// Does something while no command can begin to need an image: asks who needs one, and deletes it.
    public func withoutNewUsersOfImages<Result>(_ body: () throws -> Result) async throws -> Result {
        let lock = try await imageLock(.exclusive)
        defer { withExtendedLifetime(lock) {} }
        return try body()
    }

    /// The lock of the image store; tells for whom it waits.
    func imageLock(_ kind: KernelLock.Kind) async throws -> FileLock? {
        try await ImageLock.take(kind, ofStore: state.images) { [progress = parts.progress] held in
            progress(.note("waiting: \(held.message)"))
        }
    }
}
