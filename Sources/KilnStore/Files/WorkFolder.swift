import Foundation
import KilnModel
import KilnSystem

/// A folder for a bake or an addition under way, in the same file system as the store.
///
/// A lock on a file in it lives as long as this process. So a folder whose lock can be taken belongs to nobody any more,
/// and whoever finds it removes it; that a lock file exists means nothing.
package struct WorkFolder: ~Copyable {
    package let path: String
    private let lock: CInt

    /// Makes a folder in `parent`.
    package init(in parent: String) throws {
        try DurableFile.makeDirectory(parent)
        let folder = "\(parent)/\(UUID().uuidString)"
        try DurableFile.makeDirectory(folder)
        let descriptor = open("\(folder)/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0, KernelLock.take(descriptor) else {
            throw FileError.failed(.fileUnwritable, "lock", folder)
        }
        path = folder
        lock = descriptor
    }

    deinit { close(lock) }

    /// The folders in `parent` that no living process holds.
    package static func abandoned(in parent: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? []
        return names.map { "\(parent)/\($0)" }.filter(isAbandoned)
    }

    private static func isAbandoned(_ path: String) -> Bool {
        let lock = open("\(path)/lock", O_RDWR | O_CLOEXEC)
        // Without a lock file it was made this instant or is half removed. Only the latter holds anything.
        guard lock >= 0 else {
            return ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).isEmpty == false
        }
        defer { close(lock) }
        return KernelLock.take(lock)
    }
}
