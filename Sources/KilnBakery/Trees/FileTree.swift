import KilnEngine
import KilnModel
import KilnSystem

/// A folder that becomes a root file system, with all that its files have: owners, file capabilities and other extended
/// attributes, access lists, hard links and holes.
///
/// In a user namespace the kernel stores a capability together with whose root may use it, and shows it in the namespace
/// as it was given. So what is unpacked, changed and made a disk in one kind of namespace comes out as on a machine.
struct FileTree: Sendable {
    let path: String

    /// Unpacks an archive of mmdebstrap, or of a root, into the folder.
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

    /// An epoch before which everything was changed, so that all keeps its time.
    static let anyTime = Int(Int32.max)

    /// What writes the folder as an archive to a file, or to standard output where that is `-`.
    ///
    /// The same tree is the same archive, wherever and whenever it was made: names are sorted, and what was changed after
    /// `epoch` counts as changed then.
    ///
    /// - Parameter isPacked: by zstd, which ``unpack(_:)`` sees by itself.
    func archiving(to file: String, epoch: Int, isPacked: Bool = false) -> Command {
        Namespace.command(
            "tar",
            [
                "-C", path, "--one-file-system", "--sort=name", "--format=pax", "--sparse", "--numeric-owner",
                "--xattrs",
                "--xattrs-include=*", "--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime",
                "--clamp-mtime", "--mtime=@\(epoch)", "--warning=no-file-ignored",
            ] + (isPacked ? ["--use-compress-program=zstd -q -1 -T0"] : []) + ["-cf", file, "."]
        )
    }
}
