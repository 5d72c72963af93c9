import Foundation
import Glibc
import KilnModel
import KilnSystem

/// The directory behind `qemu:///embed?root=DIR`, where libvirt runs inside the process that connects.
public enum EmbedRoot {
    /// The longest root, in bytes, so that QEMU's monitor socket still fits into an address: libvirt puts it at
    /// `lib/qemu/domain-ID-NAME/monitor.sock`, with an id of up to five digits and 20 bytes of name.
    static let longest =
        UnixSocket.longestPath - "/lib/qemu/domain-99999-12345678901234567890/monitor.sock".utf8.count

    /// The user that Debian's and Ubuntu's libvirt is built for.
    static let builtInUser = "libvirt-qemu"

    /// Makes `root` usable: writes `etc/qemu.conf` unless there is one, so that libvirt needs no daemon.
    ///
    /// - Parameters:
    ///   - root: an absolute path; made if absent.
    ///   - owner: who runs the machines.
    /// - Throws: `KilnError` with code `embed.root-too-long`, `embed.root-unusable`, `embed.root-closed` where `owner` can't
    ///   pass through it or a directory above, `embed.user-missing` where libvirt would refuse to start.
    public static func prepare(_ root: String, owner: MachineOwner) throws {
        guard root.utf8.count <= longest else {
            throw KilnError(
                .embedRootTooLong,
                "the root \(root) of the embedded libvirt has \(root.utf8.count) bytes, expected at most \(longest)",
                hint: "name a shorter path, such as qemu:///embed?root=/var/tmp/kiln: sockets lie below it",
                exit: .usage
            )
        }
        try checkBuiltInUser()
        do {
            try makeConfiguration(root)
        } catch {
            throw KilnError(
                .embedRootUnusable,
                "\(root) can't be the root of an embedded libvirt",
                hint: "name a directory that you may write to: qemu:///embed?root=/absolute/path",
                cause: error.localizedDescription,
                exit: .unreachable
            )
        }
        try checkPassage(root, owner)
        emptyLargeLog(root)
    }

    private static func makeConfiguration(_ root: String) throws {
        let file = URL(fileURLWithPath: root).appendingPathComponent("etc/qemu.conf")
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(),
            withIntermediateDirectories: true
        )
        guard !FileManager.default.fileExists(atPath: file.path) else { return }
        try Data(configuration(isRoot: geteuid() == 0).utf8).write(to: file, options: .atomic)
    }

    private static func checkPassage(_ root: String, _ owner: MachineOwner) throws {
        guard owner.uid != geteuid(), let closed = owner.closedDirectory(onTheWayTo: root) else { return }
        throw KilnError(
            .embedRootClosed,
            "user '\(owner.name)', who runs the machines, can't pass through \(closed) to the root \(root)",
            hint: "name another root, or run: chmod o+x \(closed)",
            exit: .unreachable
        )
    }

    /// Whatever `qemu.conf` says, libvirt as root refuses to start ("Failed to parse user") where the user that it was built
    /// for doesn't exist; the package libvirt-daemon-system, which nothing else needs, would create it.
    static func checkBuiltInUser(
        isRoot: Bool = geteuid() == 0,
        isDebian: Bool = access("/etc/debian_version", F_OK) == 0,
        exists: (String) -> Bool = { (try? MachineOwner.named($0)) != nil }
    ) throws {
        guard isRoot && isDebian && !exists(builtInUser) else { return }
        throw KilnError(
            .embedUserMissing,
            "there is no user '\(builtInUser)', without whom libvirt does not start inside a process of root",
            hint:
                "install the package kiln again or run 'make setup' in a checkout, which make the user; or leave --connect out",
            exit: .unreachable
        )
    }

    /// The text of `qemu.conf`: in no need of virtlogd, of cgroups, of a security module, and of extended attributes.
    ///
    /// Root's libvirt runs QEMU as root only to ask what it can do; the definitions of machines name their own user. With
    /// another user here, who can't open /dev/kvm, libvirt 9.0 would ask again at every step, for most of a minute: QEMU can
    /// open the node while it is asked, because libvirt lends it CAP_DAC_OVERRIDE for that, and not when libvirt checks
    /// whether the answer still holds (virQEMUCapsIsValid).
    /// No mount namespace: a container may not be allowed one, and the files of machines need none.
    static func configuration(isRoot: Bool) -> String {
        """
        stdio_handler = "file"
        security_driver = "none"
        remember_owner = 0
        cgroup_controllers = [ ]
        namespaces = [ ]

        """ + (isRoot ? "user = \"root\"\ngroup = \"root\"\n" : "")
    }
}

/// libvirt's log.
extension EmbedRoot {
    /// Where libvirt's warnings and errors go, as LIBVIRT_LOG_OUTPUTS has it; to nobody where the path can't be said in it.
    ///
    /// https://libvirt.org/logging.html
    static func logOutputs(_ root: String) -> String {
        "3:file:" + (HomeAlias.isPlain(root) ? log(root) : "/dev/null")
    }

    private static func log(_ root: String) -> String { root + "/libvirt.log" }

    private static func emptyLargeLog(_ root: String) {
        var found = stat()
        guard lstat(log(root), &found) == 0, found.st_mode & S_IFMT == S_IFREG,
            found.st_size > DaemonLayout.longestLog
        else { return }
        truncate(log(root), 0)
    }
}

/// Who uses a root.
extension EmbedRoot {
    /// Refuses a root in which another process's libvirt works.
    ///
    /// - Throws: `KilnError` with code `embed.busy`, which names the process.
    static func checkFree(_ root: String) throws {
        guard let holder = holder(of: root + "/run/qemu/driver.pid") else { return }
        let name = HostProcesses.name(of: holder).map { " (\($0))" } ?? ""
        throw KilnError(
            .embedBusy,
            "process \(holder)\(name) uses the embedded libvirt in \(root), which serves one command at a time",
            hint: "wait until it has ended; without --connect, any number of commands work at once",
            exit: .blocked
        )
    }

    /// The process that has a record lock on a file; 0 for one that can't be seen from here, nothing where none has.
    static func holder(of path: String) -> pid_t? {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else { return nil }
        // Never closed, on purpose: closing any descriptor of a file drops all of the process's locks on it (fcntl(2)), and
        // libvirt in this process may hold one by then. That is one descriptor for each time the hypervisor is opened.
        return RecordLock.holder(of: file)
    }
}
