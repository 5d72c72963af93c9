import Foundation
import KilnModel

/// Files that are whole after a crash: written under a temporary name, fsynced, renamed, and the directory fsynced.
public enum DurableFile {
    /// Replaces the content of `path`.
    public static func write(_ content: Data, to path: String, mode: mode_t = 0o644) throws {
        let temporary = "\(path).new-\(getpid())-\(UInt32.random(in: .min ... .max))"
        do {
            try writeNew(content, to: temporary, mode: mode)
            try rename(temporary, to: path)
        } catch {
            unlink(temporary)
            throw error
        }
    }

    /// Replaces the content of `path` by JSON with sorted keys.
    public static func writeJSON(_ value: some Encodable, to path: String, mode: mode_t = 0o644) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        try write(try encoder.encode(value), to: path, mode: mode)
    }

    /// Reads JSON, or nothing where there is no file.
    public static func readJSON<Value: Decodable>(_ type: Value.Type, from path: String) throws -> Value? {
        do {
            guard let data = try contents(path) else { return nil }
            let decoder = JSONDecoder()
            decoder.dateDecodingStrategy = .iso8601
            return try decoder.decode(type, from: data)
        } catch let newer as RecordFormat.Newer {
            throw KilnError(
                .stateNewer,
                "\(path) has format \(newer.format), and this version of Kiln reads up to \(RecordFormat.current)",
                hint: "use the version of Kiln that wrote it",
                exit: .halted
            )
        } catch {
            throw KilnError(
                .stateUnreadable,
                "\(path) can't be read as \(type)",
                hint: "Kiln writes this file whole or not at all: look for what else changed it",
                cause: String(describing: error)
            )
        }
    }

    /// What a file holds; nothing where there is none.
    ///
    /// - Throws: an error of Foundation's where it can't be read.
    public static func contents(_ path: String) throws -> Data? {
        do {
            // Without the hint the path would be looked at once more, and 'ps' reads hundreds of files.
            return try Data(contentsOf: URL(fileURLWithPath: path, isDirectory: false))
        } catch {
            guard FileManager.default.fileExists(atPath: path) else { return nil }
            throw error
        }
    }

    /// Renames a file or directory, and makes the new name durable; what had that name is replaced.
    public static func rename(_ old: String, to new: String) throws {
        guard Foundation.rename(old, new) == 0 else { throw failure("rename", new) }
        try synchronizeDirectory(of: new)
    }

    /// Makes the content of a file, or the names in a directory, durable.
    public static func synchronize(_ path: String) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("open", path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure("fsync", path) }
    }

    /// Makes the names in the directory of `path` durable.
    public static func synchronizeDirectory(of path: String) throws { try synchronize(directory(of: path)) }

    /// The directory that holds `path`; empty for a name alone.
    public static func directory(of path: String) -> String {
        // Not Foundation's deletingLastPathComponent, which ends the process for "./" (seen with Swift 6.3).
        let slash = UInt8(ascii: "/")
        var parent = Array(path.utf8)
        while parent.last == slash { parent.removeLast() }
        while let last = parent.last, last != slash { parent.removeLast() }
        while parent.last == slash { parent.removeLast() }
        return parent.isEmpty && path.hasPrefix("/") ? "/" : String(decoding: parent, as: UTF8.self)
    }

    /// Makes a directory and those above it, mode 0755: machines of another user go through them.
    ///
    /// One that is there is left as it is.
    public static func makeDirectory(_ path: String) throws {
        do {
            try FileManager.default.createDirectory(
                atPath: path,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o755]
            )
        } catch {
            throw KilnError(
                .stateNotWritable,
                "the directory \(path) can't be made",
                hint: "check its owner and free space",
                cause: String(describing: error)
            )
        }
    }

    /// Removes a file or a tree; what is not there is not an error.
    public static func remove(_ path: String) throws {
        guard (try? FileManager.default.attributesOfItem(atPath: path)) != nil else { return }
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            throw KilnError(.stateNotRemovable, "\(path) can't be removed", cause: String(describing: error))
        }
    }

    /// The error of the system call that just failed.
    public static func failure(_ call: String, _ path: String) -> KilnError {
        let number = errno
        if number == ENOSPC {
            return KilnError(
                .diskFull,
                "no space left on the device of \(path)",
                hint: "free some space, then run the command again",
                cause: "\(call): \(String(cString: strerror(number)))",
                exit: .aborted
            )
        }
        return KilnError(
            .stateNotWritable,
            "\(path) can't be written",
            hint: "check its owner, mode and device",
            cause: "\(call): \(String(cString: strerror(number)))",
            exit: .aborted
        )
    }

    private static func writeNew(_ content: Data, to path: String, mode: mode_t) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
        guard descriptor >= 0 else { throw failure("open", path) }
        defer { close(descriptor) }
        try append(content, to: descriptor, path: path)
    }

    /// Writes all of `content` at the descriptor's position and makes it durable.
    public static func append(_ content: Data, to descriptor: Int32, path: String) throws {
        try appendLazily(content, to: descriptor, path: path)
        guard fsync(descriptor) == 0 else { throw failure("fsync", path) }
    }

    /// Writes all of `content` at the descriptor's position: it outlives this process, but not yet a power cut.
    public static func appendLazily(_ content: Data, to descriptor: Int32, path: String) throws {
        try content.withUnsafeBytes { bytes in
            var done = 0
            while done < bytes.count {
                let count = Foundation.write(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done)
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else { throw failure("write", path) }
                done += count
            }
        }
    }
}
