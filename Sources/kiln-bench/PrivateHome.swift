import Foundation
import KilnSystem

/// A KILN_HOME of this run's own, with a daemon of its own, and the images of another home.
struct PrivateHome: Sendable {
    let path: String

    /// Makes it below /tmp: the sockets in it need a short path.
    ///
    /// - Parameter images: the image store. It is linked by a symbolic link, for hard links would change the inodes by
    ///   which the store tells that nothing was written to an image.
    init(images: String) throws {
        var template = Array("/tmp/kiln-bench-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure("no directory can be made below /tmp") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // The user who runs root's machines has to pass through.
        chmod(path, 0o755)
        try FileManager.default.createSymbolicLink(atPath: path + "/images", withDestinationPath: images)
    }

    private init(path: String) { self.path = path }

    /// A home below this one, without images, which goes with it.
    func inner(_ name: String) throws -> PrivateHome {
        let inner = PrivateHome(path: "\(path)/\(name)")
        guard mkdir(inner.path, 0o755) == 0, chmod(inner.path, 0o755) == 0 else {
            throw Failure("no directory \(inner.path) can be made")
        }
        return inner
    }

    /// The connection to its daemon, which runs while a machine does and for a while after a command of kiln's.
    var uri: String { "qemu+unix:///session?socket=\(path)/daemon/run/libvirt/libvirt-sock" }

    /// Ends every process that belongs to the home, and removes it.
    func remove() async {
        let deadline = ContinuousClock.now + .seconds(20)
        while ContinuousClock.now < deadline {
            let alive = processes()
            if alive.isEmpty { break }
            // The daemon's parent ends by itself, as soon as it has reaped the others. Who keeps a front does not, and would
            // start it again.
            for process in alive
            where process.name != "kiln" || process.arguments.contains("__front") || alive.count == 1 {
                kill(process.pid, SIGKILL)
            }
            try? await Task.sleep(for: .milliseconds(50))
        }
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Ends the private daemon, and waits until it has gone.
    func endDaemon() async throws {
        let deadline = ContinuousClock.now + .seconds(20)
        for daemon in processes() where daemon.name == "libvirtd" { kill(daemon.pid, SIGTERM) }
        while processes().contains(where: { $0.name == "libvirtd" }) {
            guard ContinuousClock.now < deadline else { throw Failure("libvirtd did not end within 20 s") }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// A living process.
    struct Process {
        let pid: pid_t
        let name: String
        let arguments: [String]
    }

    /// The processes whose arguments or environment name the home, which no other process does: the daemon, its parent
    /// and the machines.
    func processes() -> [Process] {
        HostProcesses.naming([path]).map { pid in
            let arguments = HostProcesses.arguments(of: pid)
            let name = arguments.first?.split(separator: "/").last.map(String.init) ?? ""
            return Process(pid: pid, name: name, arguments: arguments)
        }
    }
}
