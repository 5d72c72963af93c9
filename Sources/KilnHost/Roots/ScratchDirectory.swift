import Foundation
import Glibc
import KilnEngine
import KilnModel
import KilnSystem
import Synchronization

/// A place for private directories, which the user who runs machines can pass through.
///
/// Each directory is locked (flock(2)) while its process lives; one that is not belongs to nobody, and is removed by whoever
/// makes the next.
struct ScratchDirectory: Sendable {
    let path: String
    let owner: MachineOwner?
    /// Is told for whom it waits, when that takes longer than a moment.
    var waiting: @Sendable (String) -> Void = { _ in }

    /// The locks of this process by directory.
    private static let locks = Mutex<[String: Int32]>([:])

    /// Longer than it takes to remove what some killed processes left.
    private static let patience = Duration.seconds(60)

    /// For how long nobody needs to know.
    private static let moment = Duration.milliseconds(500)

    /// Makes a directory, in which only this process's user can make files, and returns its path.
    ///
    /// - Throws: `KilnError` with code `state.not-writable`, `lock.held` or `owner.…`.
    func make() async throws -> String { try await BlockingWork.run { try made() } }

    private func made() throws -> String {
        try DurableFile.makeDirectory(path)
        return try gated {
            _ = abandoned(removing: true)
            let folder = "\(path)/\(UUID().uuidString)"
            guard mkdir(folder, 0o700) == 0 else { throw unusable(folder) }
            let lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            guard lock >= 0, KernelLock.take(lock) else { throw unusable(folder) }
            ScratchDirectory.locks.withLock { $0[folder] = lock }
            try owner?.letThrough(folder)
            return folder
        }
    }

    /// Removes a directory that ``make()`` made.
    func remove(_ folder: String) {
        try? FileManager.default.removeItem(atPath: folder)
        if let lock = ScratchDirectory.locks.withLock({ $0.removeValue(forKey: folder) }) { close(lock) }
    }

    /// Removes the directories of processes that are gone, or only tells which they are.
    func removeAbandoned(dryRun: Bool) -> [String] {
        // Where the place does not exist, nothing was left in it.
        (try? gated { abandoned(removing: !dryRun) }) ?? []
    }

    // A new directory has no lock for a moment, and one that is only looked at is locked for one: the gate keeps both apart.
    private func gated<Result>(_ body: () throws -> Result) throws -> Result {
        let gate = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard gate >= 0 else { throw unusable(path) }
        defer { close(gate) }
        if !KernelLock.wait(gate, until: .now + ScratchDirectory.moment) {
            let holders = KernelLock.holders(of: gate).map { "pid \($0)" }.joined(separator: ", ")
            waiting("the directory \(path) is in use by another kiln" + (holders.isEmpty ? "" : ": \(holders)"))
        }
        guard KernelLock.wait(gate, until: .now + ScratchDirectory.patience) else {
            throw KilnError(
                .lockHeld,
                "the directory \(path) has been in use by another kiln for \(ScratchDirectory.patience)",
                hint: "see who with `fuser \(path)`, or try again",
                exit: .blocked
            )
        }
        return try body()
    }

    private func abandoned(removing: Bool) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.sorted().map { "\(path)/\($0)" }.filter { folder in
            let lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
            guard lock >= 0 else { return false }
            defer { close(lock) }
            guard KernelLock.take(lock) else { return false }
            if removing { try? FileManager.default.removeItem(atPath: folder) }
            return true
        }
    }

    private func unusable(_ path: String) -> KilnError {
        KilnError(
            .stateNotWritable,
            "the directory \(path) can't be used",
            hint: "check its owner and free space",
            cause: String(cString: strerror(errno))
        )
    }
}
