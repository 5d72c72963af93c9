import Foundation
import Glibc
import KilnModel
import KilnSystem

/// Kiln's default hypervisor: a private, unprivileged libvirt daemon of one KILN_HOME, started when needed.
///
/// It shares nothing with the libvirt that the user or the system may run. It ends by itself once nobody uses it and no
/// machine runs, and a successor adopts the machines of one that was killed. Many kilns use it at once.
///
/// Where AppArmor is active, Debian's profile for `/usr/sbin/libvirtd` applies to it as well; that profile lets it use any
/// path and start QEMU unconfined, which is all it needs.
public struct SessionDaemon: Sendable {
    /// Whether the daemon runs.
    public enum Status: Sendable, Hashable {
        /// Nobody listens at the socket; the next ``ensureRunning()`` starts the daemon.
        case stopped
        /// The daemon with this process id listens.
        case running(pid: Int32)
    }

    /// Short names of paths below KILN_HOME, for the sockets of machines.
    public let alias: HomeAlias
    /// Who runs the daemon and the machines.
    public let owner: MachineOwner

    let executable: String
    let idleSeconds: Int
    let deadline: Duration

    /// Describes the daemon of a home; starts nothing.
    ///
    /// - Parameters:
    ///   - home: KILN_HOME.
    ///   - owner: who runs machines; if that isn't the user of this process, this process is root's.
    ///   - executable: the path of the `kiln` program, which runs itself as the daemon's parent.
    ///   - idleSeconds: how long the daemon outlives its last client and machine, in seconds, at least 1.
    ///   - deadline: how long a start may take. It takes 0.1 s on an idle machine.
    public init(
        home: String,
        owner: MachineOwner,
        executable: String,
        idleSeconds: Int = 30,
        deadline: Duration = .seconds(10)
    ) {
        self.alias = HomeAlias(home: home)
        self.owner = owner
        self.executable = executable
        self.idleSeconds = idleSeconds
        self.deadline = deadline
    }

    /// Starts the daemon unless it runs, and waits until it accepts connections.
    ///
    /// Any number of processes may call this at once; one daemon results. The answer restarts the daemon's idle time, so
    /// it holds for ``init(home:owner:executable:idleSeconds:deadline:)``'s `idleSeconds`; where a connection fails after
    /// all because the daemon was just ending, call this once more.
    ///
    /// - Returns: the URI to open, `qemu+unix:///session?socket=…`.
    /// - Throws: `KilnError` with a code `daemon.…`, `owner.…` or `alias.…`.
    public func ensureRunning() async throws -> String {
        try await BlockingWork.run { try start() }
    }

    /// Whether the daemon runs; starts nothing.
    ///
    /// - Throws: `KilnError` with code `daemon.unreachable` or `daemon.impostor`.
    public func status() async throws -> Status {
        try await BlockingWork.run {
            guard FileManager.default.fileExists(atPath: directory) else { return .stopped }
            return try listener(layout()).map { .running(pid: $0) } ?? .stopped
        }
    }

    /// The directory `KILN_HOME/daemon`.
    ///
    /// It belongs to whoever runs kiln; only its subdirectories belong to ``owner``.
    var directory: String { alias.home + "/daemon" }

    func layout() throws -> DaemonLayout {
        DaemonLayout(base: try alias.shortPath(for: directory, limit: DaemonLayout.longestBase, plain: true))
    }

    /// The process id of the daemon, or nil if there is none.
    func listener(_ layout: DaemonLayout) throws -> Int32? {
        guard let found = try DaemonSocket.listener(at: layout.socket) else { return nil }
        guard found.uid == owner.uid else {
            throw KilnError(
                .daemonImpostor,
                "process \(found.pid) listens at \(layout.socket) as user id \(found.uid), expected \(owner.uid)",
                hint: "end that process, or set KILN_HOME to a place that nobody else can write to",
                exit: .blocked
            )
        }
        return found.pid
    }
}
