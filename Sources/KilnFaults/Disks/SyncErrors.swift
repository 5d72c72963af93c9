/// Syncs of a process of this host that fail with EIO.
///
/// Below what a process writes itself there is no block layer of QEMU that could fail, so strace answers in the kernel's
/// place. A disk's errors come with the sync: a write only reaches the page cache.
/// https://man7.org/linux/man-pages/man1/strace.1.html, on "inject"
package struct SyncErrors: Sendable {
    private let pid: Int32
    private let log: String

    /// Those of a process and of what it starts, told in a file.
    package init(of pid: Int32, log: String) {
        self.pid = pid
        self.log = log
    }

    /// The program that makes them for as long as it runs; SIGTERM ends it, and it lets go.
    package var command: [String] {
        ["strace", "-f", "-qq", "-o", log, "-p", "\(pid)"]
            + ["-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:error=EIO"]
    }

    /// Whether a sync failed, as the file tells.
    package static func proof(in log: String) -> Bool { log.contains("(INJECTED)") }
}
