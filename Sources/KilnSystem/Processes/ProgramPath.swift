import Foundation

/// Where outside programs are looked for.
public enum ProgramPath {
    /// The only places where programs are looked for, by kiln, the daemon and libvirt.
    public static let text = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    /// The first executable called `name` on ``text``.
    public static func find(_ name: String) -> String? {
        text.split(separator: ":").map { "\($0)/\(name)" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }
}
