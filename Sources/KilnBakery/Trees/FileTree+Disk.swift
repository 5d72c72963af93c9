import KilnEngine
import KilnModel
import KilnSystem

/// The same tree with the same identity is the same disk, to the byte, as far as the same programs make it: whenever, where,
/// by whom and in whatever order its files were written. Only the order in which a file got several attributes can show.
extension FileTree {
    /// Makes an ext4 file system of the folder, without mounting anything.
    ///
    /// - Parameter roots: sets the times that mke2fs takes from the copy of the tree and nobody else can set.
    /// - Throws: `KilnError` with code `tool.…`, also where the tree doesn't fit, and as `RootInspection.clampTimes`;
    ///   `CancellationError`.
    func makeDisk(
        at raw: String,
        size: ByteCount,
        as identity: DiskIdentity,
        by roots: any RootInspection
    ) async throws {
        // Without lazy initialisation: a guest would do it in the background, into its overlay.
        let extended = "lazy_itable_init=0,lazy_journal_init=0,hash_seed=\(identity.uuid)"
        // Newer versions of mke2fs know the second, and whoever starts Kiln may have set it.
        let clock = ["E2FSPROGS_FAKE_TIME": "\(identity.epoch)", "SOURCE_DATE_EPOCH": "\(identity.epoch)"]
        try await Namespace.command(
            "mke2fs",
            [
                "-q", "-t", "ext4", "-b", "4096", "-L", "root", "-m", "0", "-U", identity.uuid, "-E", extended,
                "-d", path, raw, "\(size.bytes / 1024)k",
            ],
            environment: clock
        ).run()
        try await roots.clampTimes(of: raw, to: identity.epoch)
    }

    /// Makes a qcow2 disk of a raw one.
    ///
    /// Out of order (-W) it would be another file at each time.
    ///
    /// - Throws: `KilnError` with code `tool.…`; `CancellationError`.
    static func pack(_ raw: String, as disk: String) async throws {
        try await Command.bake(
            "qemu-img",
            ["convert", "-f", "raw", "-O", "qcow2", "-o", "compat=1.1,cluster_size=65536", raw, disk]
        ).run()
    }
}
