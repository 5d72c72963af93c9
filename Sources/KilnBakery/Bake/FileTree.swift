import Foundation
import KilnModel
import KilnSystem

/// A folder that becomes a root file system, with all that its files have: owners, file capabilities and other extended
/// attributes, access lists, hard links and holes.
///
/// In a user namespace the kernel stores a capability together with whose root may use it, and shows it in the namespace
/// as it was given. So what is unpacked, changed and made a disk in one kind of namespace comes out as on a machine.
struct FileTree: Sendable {
    let path: String

    /// Unpacks an archive of mmdebstrap into the folder.
    ///
    /// - Throws: `KilnError` with code `bake.attributes-lost` where the file system of the folder can't keep what the
    ///   files have, `tool.…`; `CancellationError`.
    func unpack(_ archive: String) async throws {
        // Only root can make device nodes, and no image needs them: the kernel fills /dev.
        let lost = try await Namespace.command(
            "tar",
            [
                "-C", path, "--exclude=./dev/*", "--numeric-owner", "--xattrs", "--xattrs-include=*",
                "--warning=none", "--warning=xattr-write", "-xf", archive,
            ]
        ).lines()
        // To tar it is a warning.
        guard let first = lost.first else { return }
        throw KilnError(
            .bakeAttributesLost,
            "the file system of \(path) can't keep \(lost.count) attributes of files that the image needs",
            hint: "set KILN_HOME to a folder on ext4, xfs or btrfs",
            cause: first,
            exit: .aborted
        )
    }

    /// Packs the folder: the opposite of ``unpack(_:)``.
    ///
    /// - Throws: `KilnError` with code `tool.…`; `CancellationError`.
    func pack(to archive: String) async throws {
        try await Namespace.command(
            "tar",
            [
                "-C", path, "--format=posix", "--numeric-owner", "--xattrs", "--xattrs-include=*", "--sort=name",
                "--sparse", "--use-compress-program=zstd -q -1 -T0", "-cf", archive, ".",
            ]
        ).run()
    }

    /// The content of a regular file of the tree, whose path has no link in it; nothing where there is none, or more than `limit`
    /// bytes of it.
    func content(of name: String, limit: Int) -> Data? {
        var folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        let parts = name.split(separator: "/").map(String.init)
        for part in parts.dropLast() where folder >= 0 {
            let next = openat(folder, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
            close(folder)
            folder = next
        }
        guard folder >= 0, let last = parts.last else { return nil }
        defer { close(folder) }
        let file = openat(folder, last, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard file >= 0 else { return nil }
        let handle = FileHandle(fileDescriptor: file, closeOnDealloc: true)
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size <= limit else { return nil }
        return try? handle.readToEnd() ?? Data()
    }

    /// Makes an ext4 file system of the folder, without mounting anything.
    ///
    /// - Throws: `KilnError` with code `tool.…`, also where the tree doesn't fit; `CancellationError`.
    func makeDisk(at raw: String, size: ByteCount) async throws {
        // Without lazy initialisation: a guest would do it in the background, into its overlay.
        try await Namespace.command(
            "mke2fs",
            [
                "-q", "-t", "ext4", "-b", "4096", "-L", "root", "-m", "0", "-E",
                "lazy_itable_init=0,lazy_journal_init=0", "-d", path, raw, "\(size.bytes / 1024)k",
            ]
        ).run()
    }
}
