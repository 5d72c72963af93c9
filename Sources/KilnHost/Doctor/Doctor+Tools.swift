import KilnModel
import KilnSystem

extension Doctor {
    /// A program that Kiln runs.
    private struct Tool {
        let name: String
        /// The argument that makes it tell its version; nothing where it has none.
        let version: String?
        /// What does not work without it.
        let purpose: String
        /// Whether only some commands need it.
        let isOptional: Bool
    }

    private static let programs = [
        Tool(name: "qemu-system-x86_64", version: "--version", purpose: "machines", isOptional: false),
        Tool(name: "libvirtd", version: "--version", purpose: "the private daemon", isOptional: true),
        Tool(name: "qemu-img", version: "--version", purpose: "disks", isOptional: false),
        Tool(name: "qemu-io", version: "--version", purpose: "the marks of volumes", isOptional: false),
        Tool(name: "prlimit", version: "--version", purpose: "limits for qemu-img", isOptional: false),
        Tool(name: "mke2fs", version: "-V", purpose: "volumes", isOptional: false),
        Tool(name: "e2fsck", version: "-V", purpose: "drift, and checking volumes", isOptional: true),
        Tool(name: "resize2fs", version: nil, purpose: "growing volumes", isOptional: true),
        Tool(name: "setpriv", version: "--version", purpose: "drift, volumes and baking", isOptional: true),
        Tool(name: "xorriso", version: "-version", purpose: "seeds", isOptional: false),
        Tool(name: "ssh-keygen", version: nil, purpose: "host keys", isOptional: false),
        Tool(name: "ssh", version: "-V", purpose: "'kiln ssh'", isOptional: true),
        Tool(name: "qemu-storage-daemon", version: "--version", purpose: "faults of disks", isOptional: true),
        Tool(name: "mmdebstrap", version: "--version", purpose: "baking Debian images", isOptional: true),
    ]

    /// One finding for each program.
    func tools() async -> [DoctorFinding] {
        var findings: [DoctorFinding] = []
        for tool in Doctor.programs { findings.append(await Doctor.finding(tool)) }
        return findings
    }

    private static func finding(_ tool: Tool) async -> DoctorFinding {
        do {
            let path = try Command.path(of: tool.name)
            guard let argument = tool.version else { return DoctorFinding("tool.\(tool.name)", .pass, path) }
            let output = try await Command(tool.name, [argument], deadline: .seconds(10)).result()
            // Some tell it on one stream, some on the other.
            let text = Printable.text(output.output + output.errors)
            let line = text.split(separator: "\n").first { $0.contains(where: \.isNumber) } ?? ""
            return DoctorFinding("tool.\(tool.name)", .pass, line.isEmpty ? path : String(line.prefix(100)))
        } catch {
            return DoctorFinding(
                "tool.\(tool.name)",
                tool.isOptional ? .warn : .fail,
                "missing or broken; needed for \(tool.purpose)",
                remedy: "run 'make setup'"
            )
        }
    }
}
