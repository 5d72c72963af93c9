import Foundation
import KilnModel
import KilnSystem

/// A folder of a tree that programs of others could write to: no link in it is followed, at any place.
struct TreeFolder: ~Copyable {
    private let descriptor: CInt
    private let path: String

    private init(_ descriptor: CInt, _ path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit { close(descriptor) }

    /// Enters the folder of that path from the tree's root on, such as `usr/lib`.
    ///
    /// - Throws: `KilnError` with code `bake.tree-refused` where a folder is another thing, `file.…`.
    /// - Returns: nothing where there is none.
    static func find(_ path: String, in tree: String) throws -> TreeFolder? {
        try enter(path, in: tree, isMade: false)
    }

    /// Enters a folder, and makes it where there is none.
    ///
    /// - Throws: as ``find(_:in:)``.
    static func make(_ path: String, in tree: String) throws -> TreeFolder {
        guard let folder = try enter(path, in: tree, isMade: true) else { throw refused("\(tree)/\(path)", "folder") }
        return folder
    }

    private static func enter(_ path: String, in tree: String, isMade: Bool) throws -> TreeFolder? {
        let root = open(tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard root >= 0 else { throw FileError.failed(.fileUnreadable, "read", tree) }
        var folder = TreeFolder(root, tree)
        for name in path.split(separator: "/").map(String.init) {
            // Whatever the user's mask is.
            if isMade, mkdirat(folder.descriptor, name, 0o755) == 0 { fchmodat(folder.descriptor, name, 0o755, 0) }
            let next = openat(folder.descriptor, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
            guard next >= 0 else {
                if errno == ENOENT && !isMade { return nil }
                throw refused("\(folder.path)/\(name)", "folder")
            }
            folder = TreeFolder(next, "\(folder.path)/\(name)")
        }
        return folder
    }

    /// What a file in it holds; nothing where there is none.
    ///
    /// - Throws: `bake.tree-refused` where there is no regular file, or one of more bytes; `file.unreadable`.
    func read(_ name: String, limit: Int) throws -> [UInt8]? {
        let file = openat(descriptor, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
        guard file >= 0 else {
            if errno == ENOENT { return nil }
            throw TreeFolder.refused("\(path)/\(name)", "file")
        }
        defer { close(file) }
        var found = stat()
        guard fstat(file, &found) == 0, found.st_mode & S_IFMT == S_IFREG, found.st_size <= limit else {
            throw TreeFolder.refused("\(path)/\(name)", "file of \(limit >> 10) KiB at most")
        }
        return try content(of: file, name, limit)
    }

    private func content(of file: CInt, _ name: String, _ limit: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while bytes.count <= limit {
            let count = Foundation.read(file, &piece, piece.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw FileError.failed(.fileUnreadable, "read", "\(path)/\(name)") }
            if count == 0 { break }
            bytes += piece.prefix(count)
        }
        return Array(bytes.prefix(limit))
    }

    /// Gives a file in it that content, whatever had the name before, but for a folder.
    ///
    /// - Throws: `bake.tree-refused`, `file.unwritable`.
    func replace(_ name: String, with content: [UInt8], mode: mode_t) throws {
        let draft = ".\(name).kiln-new"
        unlinkat(descriptor, draft, 0)
        let file = openat(descriptor, draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
        guard file >= 0 else { throw FileError.failed(.fileUnwritable, "make", "\(path)/\(name)") }
        defer { close(file) }
        do {
            try write(content, to: file, name)
            guard fchmod(file, mode) == 0 else { throw FileError.failed(.fileUnwritable, "write", "\(path)/\(name)") }
            guard renameat(descriptor, draft, descriptor, name) == 0 else {
                throw TreeFolder.refused("\(path)/\(name)", "file")
            }
        } catch {
            unlinkat(descriptor, draft, 0)
            throw error
        }
    }

    private func write(_ content: [UInt8], to file: CInt, _ name: String) throws {
        var rest = content[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Foundation.write(file, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw FileError.failed(.fileUnwritable, "write", "\(path)/\(name)") }
            rest = rest.dropFirst(count)
        }
    }

    private static func refused(_ path: String, _ what: String) -> KilnError {
        KilnError(
            .bakeTreeRefused,
            "\(Printable.line(path)) in the tree of an image is no \(what)",
            hint: "look for the step of the recipe that made it: no link out of the tree is followed",
            exit: .aborted
        )
    }
}
