import KilnModel
import KilnSystem

extension Doctor {
    /// A program that Kiln runs.
    private struct Tool {
        let name: String
        /// The Debian package that has it.
        let package: String
        /// The argument that makes it tell its version; nothing where it has none.
        let version: String?
        /// What does not work without it.
        let purpose: String
        /// Whether only some commands need it.
        let isOptional: Bool

        init(
            _ name: String,
            of package: String,
            version: String? = "--version",
            for purpose: String,
            isOptional: Bool = false
        ) {
            self.name = name
            self.package = package
            self.version = version
            self.purpose = purpose
            self.isOptional = isOptional
        }
    }

    private static let programs = [
        Tool("qemu-system-x86_64", of: "qemu-system-x86", for: "machines"),
        Tool("libvirtd", of: "libvirt-daemon", for: "the private daemon", isOptional: true),
        Tool("qemu-img", of: "qemu-utils", for: "disks"),
        Tool("qemu-io", of: "qemu-utils", for: "the marks of volumes"),
        Tool("prlimit", of: "util-linux", for: "limits for qemu-img"),
        Tool("mke2fs", of: "e2fsprogs", version: "-V", for: "volumes"),
        Tool("e2fsck", of: "e2fsprogs", version: "-V", for: "drift, and checking volumes", isOptional: true),
        Tool("resize2fs", of: "e2fsprogs", version: nil, for: "growing volumes", isOptional: true),
        Tool("setpriv", of: "util-linux", for: "drift, volumes and baking", isOptional: true),
        Tool("xorriso", of: "xorriso", version: "-version", for: "seeds"),
        Tool("ssh-keygen", of: "openssh-client", version: nil, for: "host keys"),
        Tool("ssh", of: "openssh-client", version: "-V", for: "'kiln ssh'", isOptional: true),
        Tool("qemu-storage-daemon", of: "qemu-system-common qemu-utils", for: "faults of disks", isOptional: true),
        Tool("mmdebstrap", of: "mmdebstrap", for: "baking Debian images", isOptional: true),
        Tool("psql", of: "postgresql-client", for: "ledgers and banks in databases", isOptional: true),
        Tool(
            "haproxy",
            of: "haproxy",
            version: "-v",
            for: "holding requests while no machine serves",
            isOptional: true
        ),
        Tool("curl", of: "curl", for: "downloading images", isOptional: true),
        Tool("gzip", of: "gzip", for: "adding packed images", isOptional: true),
        Tool("xz", of: "xz-utils", for: "adding packed images", isOptional: true),
        Tool("zstd", of: "zstd", for: "adding packed images", isOptional: true),
    ]

    /// The first version of QEMU whose cards can be datagrams between unix sockets.
    private static let networksSince = (7, 2)

    /// Whether a QEMU that tells this of its version can have cards on networks of labs; nothing where it tells none.
    static func hasNetworks(_ line: String) -> Bool? {
        guard let match = line.firstMatch(of: /version (\d+)\.(\d+)/), let major = Int(match.1),
            let minor = Int(match.2)
        else { return nil }
        return (major, minor) >= networksSince
    }

    /// One finding for each program.
    func tools() async -> [DoctorFinding] {
        var findings: [DoctorFinding] = []
        for tool in Doctor.programs { findings.append(await Doctor.finding(tool)) }
        return findings + [Doctor.postgres()]
    }

    /// Which versions of PostgreSQL are there: their programs are on no path, since each has a folder of its own.
    static func postgres(in root: String = PostgresPrograms.usualRoot) -> DoctorFinding {
        let versions = PostgresPrograms.versions(in: root).map(String.init)
        guard versions.isEmpty else {
            return DoctorFinding("tool.postgres", .pass, "PostgreSQL \(versions.joined(separator: ", "))")
        }
        return DoctorFinding(
            "tool.postgres",
            .warn,
            "missing; needed for external services of scenarios",
            remedy: "apt install postgresql"
        )
    }

    private static func finding(_ tool: Tool) async -> DoctorFinding {
        do {
            let path = try Command.path(of: tool.name)
            guard let argument = tool.version else { return DoctorFinding("tool.\(tool.name)", .pass, path) }
            let output = try await Command(tool.name, [argument], deadline: .seconds(10)).result()
            // Some tell it on one stream, some on the other.
            let text = Printable.text(output.output + output.errors)
            let line = text.split(separator: "\n").first { $0.contains(where: \.isNumber) } ?? ""
            if tool.name.hasPrefix("qemu-system-"), hasNetworks(String(line)) == false {
                return DoctorFinding(
                    "tool.\(tool.name)",
                    .warn,
                    "\(line.prefix(100)): too old for networks of labs",
                    remedy: "install QEMU \(networksSince.0).\(networksSince.1) or later"
                )
            }
            return DoctorFinding("tool.\(tool.name)", .pass, line.isEmpty ? path : String(line.prefix(100)))
        } catch {
            return DoctorFinding(
                "tool.\(tool.name)",
                tool.isOptional ? .warn : .fail,
                "missing or broken; needed for \(tool.purpose)",
                remedy: "apt install \(tool.package)"
            )
        }
    }
}
