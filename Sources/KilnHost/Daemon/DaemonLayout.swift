import Foundation
import KilnSystem

/// Where the private daemon keeps its things below one directory, and how it is configured.
struct DaemonLayout: Sendable, Hashable {
    /// The longest base, in bytes, so that QEMU's monitor socket still fits into an address: libvirt puts it at
    /// `config/libvirt/qemu/lib/domain-ID-NAME/monitor.sock`, with an id of up to five digits and 20 bytes of name.
    static let longestBase =
        UnixSocket.longestPath
        - "/config/libvirt/qemu/lib/domain-99999-12345678901234567890/monitor.sock".utf8.count

    /// The log is emptied before a start that finds it larger, in bytes.
    static let longestLog = 1 << 20

    /// `KILN_HOME/daemon`, or its short name.
    let base: String

    /// The directories that belong to the user who runs the daemon.
    static let directories = ["home", "config", "cache", "run", "data", "state", "log"]

    /// The socket that clients connect to; its place below XDG_RUNTIME_DIR is fixed by libvirt.
    var socket: String { base + "/run/libvirt/libvirt-sock" }
    var log: String { base + "/log/libvirtd.log" }
    /// Names the uptime of the host that what lies in `run` belongs to.
    var epochFile: String { base + "/run/kiln-epoch" }

    /// What libvirt keeps locked while it lives, in the order in which it lets go.
    var lockedFiles: [String] {
        [base + "/run/libvirt/libvirtd.pid", base + "/run/libvirt/qemu/run/driver.pid"]
    }

    var uri: String {
        var allowed = CharacterSet.alphanumerics.intersection(CharacterSet(charactersIn: "\u{0}"..."\u{7f}"))
        allowed.insert(charactersIn: "-._~/")
        let encoded = socket.addingPercentEncoding(withAllowedCharacters: allowed) ?? socket
        return "qemu+unix:///session?socket=\(encoded)"
    }

    /// Everything that the daemon, and so QEMU, sees of the environment.
    var environment: [String] {
        [
            "PATH=\(ProgramPath.text)", "LANG=C.UTF-8", "HOME=\(base)/home",
            "XDG_CONFIG_HOME=\(base)/config", "XDG_CACHE_HOME=\(base)/cache", "XDG_RUNTIME_DIR=\(base)/run",
            "XDG_DATA_HOME=\(base)/data", "XDG_STATE_HOME=\(base)/state",
        ]
    }

    /// The configuration files by path.
    var configuration: [(path: String, text: String)] {
        [
            (base + "/config/libvirt/qemu.conf", DaemonLayout.qemuConfiguration),
            (base + "/config/libvirt/libvirtd.conf", daemonConfiguration),
        ]
    }

    // "file": there is no virtlogd next to a private daemon. "none": where AppArmor or SELinux is active, labels need
    // privileges that this daemon doesn't have; what contains QEMU is its user. The filter: with that capability libvirt
    // asks every new QEMU for some 390 properties of its processor, one after the other, before the guest may run. Kiln
    // uses nothing of the answer.
    private static let qemuConfiguration = """
        stdio_handler = "file"
        security_driver = "none"
        capability_filters = [ "cpu-unavailable-features" ]

        """

    private var daemonConfiguration: String {
        """
        auth_unix_rw = "none"
        unix_sock_rw_perms = "0700"
        log_outputs = "3:file:\(log)"

        """
    }
}
