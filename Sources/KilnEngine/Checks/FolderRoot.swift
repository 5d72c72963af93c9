import Foundation
import KilnModel
import KilnStore
import KilnSystem

/// The tree of a root in a folder of this host; nothing outside of the folder is ever looked at.
public struct FolderRoot: RootFiles {
    /// The folder.
    public let folder: String

    /// The tree in a folder.
    public init(_ folder: String) { self.folder = folder }

    /// What lies at a path; a link at its end is not followed.
    ///
    /// - Throws: `file.unreadable`.
    public func entry(_ path: RootPath) async throws -> RootEntry? {
        try await BlockingWork.run { [folder] in
            var walk = try FolderWalk(folder)
            return try walk.find(path.names, followsLast: false).flatMap { try walk.entry($0) }
        }
    }

    /// The content of a regular file.
    ///
    /// - Throws: `file.unreadable`; `file.too-large` where it has more than `limit` bytes.
    public func content(_ path: RootPath, limit: Int) async throws -> [UInt8]? {
        try await BlockingWork.run { [folder] in
            var walk = try FolderWalk(folder)
            guard let place = try walk.find(path.names, followsLast: true) else { return nil }
            guard let file = try walk.open(place) else { return nil }
            let content = try file.bytes(atMost: limit + 1)
            guard content.count <= limit else {
                throw KilnError(
                    .fileTooLarge,
                    "\(path) in \(folder) has more than \(limit) bytes, which are not searched",
                    hint: "check its 'sha256' or its 'size' instead",
                    exit: .usage
                )
            }
            return content
        }
    }

    /// The sha256 of a regular file.
    ///
    /// - Throws: `file.unreadable`.
    public func digest(_ path: RootPath) async throws -> ImageDigest? {
        try await BlockingWork.run { [folder] in
            var walk = try FolderWalk(folder)
            guard let place = try walk.find(path.names, followsLast: true),
                let file = try walk.open(place)
            else { return nil }
            return try FileDigest.sha256(of: file)
        }
    }
}

/// A way through a tree, one open directory after the other, so that no link on it leads out of the tree.
private struct FolderWalk: ~Copyable {
    /// What was found: the last directory of the way, and the name in it.
    struct Place {
        let name: [CChar]
        let status: stat
    }

    private let folder: String
    private var directories: [CInt]
    private var links = 0

    /// As many links as Linux follows.
    private static let mostLinks = 40

    init(_ folder: String) throws {
        self.folder = folder
        let opened = Foundation.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard opened >= 0 else { throw FileError.failed(.fileUnreadable, "read", folder) }
        directories = [opened]
    }

    deinit { directories.forEach { close($0) } }

    private var here: CInt { directories[directories.count - 1] }

    /// Goes to where a path leads; nothing where nothing lies.
    mutating func find(_ path: [[UInt8]], followsLast: Bool) throws -> Place? {
        var rest = path[...]
        while let name = rest.popFirst() {
            if name == [0x2e] || name.isEmpty { continue }
            if name == [0x2e, 0x2e] {
                leave()
                continue
            }
            let text = name.map { CChar(bitPattern: $0) } + [0]
            guard let status = try look(text) else { return nil }
            let kind = status.st_mode & S_IFMT
            if kind == S_IFLNK, followsLast || !rest.isEmpty {
                links += 1
                guard links <= Self.mostLinks, let target = try target(text) else { return nil }
                if target.first == 0x2f { while directories.count > 1 { leave() } }
                rest = (target.split(separator: 0x2f).map(Array.init) + rest)[...]
                continue
            }
            if rest.isEmpty { return Place(name: text, status: status) }
            guard kind == S_IFDIR, try enter(text) else { return nil }
        }
        return try look([0x2e, 0]).map { Place(name: [0x2e, 0], status: $0) }
    }

    private mutating func enter(_ name: [CChar]) throws -> Bool {
        let opened = openat(here, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard opened >= 0 else {
            guard errno == EACCES || errno == EPERM else { return false }
            throw FileError.failed(.fileUnreadable, "read", folder)
        }
        directories.append(opened)
        return true
    }

    private mutating func leave() {
        guard directories.count > 1, let last = directories.popLast() else { return }
        close(last)
    }

    private func look(_ name: [CChar]) throws -> stat? {
        var status = stat()
        if fstatat(here, name, &status, AT_SYMLINK_NOFOLLOW) == 0 { return status }
        guard [ENOENT, ENOTDIR, ENAMETOOLONG].contains(errno) else {
            throw FileError.failed(.fileUnreadable, "read", folder)
        }
        return nil
    }

    private func target(_ name: [CChar]) throws -> [UInt8]? {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlinkat(here, name, &buffer, buffer.count)
        return count > 0 ? buffer.prefix(count).map { UInt8(bitPattern: $0) } : nil
    }

    /// The entry of what was found.
    func entry(_ place: Place) throws -> RootEntry? {
        let status = place.status
        guard let kind = RootEntry.Kind(modeBits: status.st_mode) else { return nil }
        return RootEntry(
            kind: kind,
            mode: UInt16(status.st_mode & 0o7777),
            user: status.st_uid,
            group: status.st_gid,
            size: kind == .file ? UInt64(status.st_size) : 0,
            value: kind == .link ? try target(place.name).map(RootPath.escaped) : nil
        )
    }

    /// The regular file that was found; nothing where it is none.
    func open(_ place: Place) throws -> OpenFile? {
        guard place.status.st_mode & S_IFMT == S_IFREG else { return nil }
        let opened = openat(here, place.name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
        guard opened >= 0 else { throw FileError.failed(.fileUnreadable, "read", folder) }
        let file = OpenFile(owning: opened, path: folder)
        guard try file.isRegular else { return nil }
        return file
    }
}

extension OpenFile {
    /// The first bytes.
    fileprivate func bytes(atMost limit: Int) throws -> [UInt8] {
        let count = min(limit, max(try size, 0))
        return try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = try read(into: UnsafeMutableRawBufferPointer(buffer), at: 0)
        }
    }
}
