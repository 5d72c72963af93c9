import Foundation
import KilnModel

/// File changes that hold through a crash: content first, then the name, each synchronised.
enum DurableFile {
    /// Replaces or makes the file at `path`; readers see the old content or the new one.
    static func write(_ bytes: Data, to path: String) throws {
        let part = "\(path).\(UUID().uuidString).part"
        do {
            let file = try OpenFile(creating: part)
            try bytes.withUnsafeBytes { try file.write($0, at: 0) }
            try file.synchronize()
            try rename(part, to: path)
        } catch {
            unlink(part)
            throw error
        }
    }

    /// Renames and synchronises the folder that now holds the name.
    static func rename(_ old: String, to new: String) throws {
        guard Foundation.rename(old, new) == 0 else { throw FileError.failed("file.unwritable", "make", new) }
        try synchronize(URL(fileURLWithPath: new).deletingLastPathComponent().path)
    }

    /// Makes what was written to the file or folder at `path` durable.
    static func synchronize(_ path: String) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError.failed("file.unreadable", "open", path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw FileError.failed("file.unwritable", "write", path) }
    }

    /// Makes a folder and those above it, mode 0755: machines of another user read images through them.
    static func makeFolder(_ path: String) throws {
        do {
            try FileManager.default.createDirectory(
                atPath: path,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o755]
            )
        } catch {
            throw KilnError("file.unwritable", "can't make the folder \(path)", cause: "\(error)")
        }
    }
}
