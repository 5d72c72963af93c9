import Foundation
import Glibc
import KilnModel

/// The directory behind `qemu:///embed?root=DIR`, where libvirt runs inside the process that connects.
public enum EmbedRoot {
    /// Makes `root` usable: writes `etc/qemu.conf` unless there is one, so that QEMU runs as `owner`, in no need of any daemon.
    ///
    /// Whatever that file says, libvirt as root refuses to start ("Failed to parse user") where the user and group that it was
    /// built for don't exist, `libvirt-qemu` on Debian, which the package libvirt-daemon-system creates.
    ///
    /// - Parameters:
    ///   - root: an absolute path; made if absent. `owner` must be able to pass through the directories above it.
    ///   - owner: who runs the machines.
    /// - Throws: `KilnError` with code `embed.root-unusable`.
    public static func prepare(_ root: String, owner: MachineOwner) throws {
        let file = URL(fileURLWithPath: root).appendingPathComponent("etc/qemu.conf")
        do {
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(),
                withIntermediateDirectories: true
            )
            guard !FileManager.default.fileExists(atPath: file.path) else { return }
            try Data(configuration(owner: owner).utf8).write(to: file, options: .atomic)
        } catch {
            throw KilnError(
                "embed.root-unusable",
                "\(root) can't be the root of an embedded libvirt",
                hint: "name a directory that you may write to: qemu:///embed?root=/absolute/path",
                cause: error.localizedDescription,
                exit: .unreachable
            )
        }
    }

    // Numeric ids, because qemu.conf would take a user whose name is a number for an id.
    static func configuration(owner: MachineOwner) -> String {
        """
        stdio_handler = "file"
        user = "+\(owner.uid)"
        group = "+\(owner.gid)"
        security_driver = "none"
        remember_owner = 0
        cgroup_controllers = [ ]

        """
    }
}
