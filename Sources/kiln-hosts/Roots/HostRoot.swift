import Crypto
import Foundation
import KilnBakery
import KilnOutside

/// A Debian release with what is tried: a directory that is made once and never written to again.
struct HostRoot: Sendable {
    /// What is in it.
    enum Kind: String, Sendable {
        /// All that kiln runs on.
        case equipped
        /// Debian and no more, for kiln's package to bring the rest.
        case bare
    }

    /// The releases that are tried.
    static let suites = ["bookworm", "trixie"]

    /// Debian's packages that kiln needs to run, and what the checks look with.
    private static let equipment = [
        "busybox-static", "ca-certificates", "cpio", "curl", "e2fsprogs", "haproxy", "libext2fs2", "libvirt-clients",
        "libvirt-daemon",
        "libvirt-daemon-driver-qemu", "libvirt0", "libxml2", "mmdebstrap", "openssh-client", "ovmf", "procps",
        "qemu-system-common", "qemu-system-x86", "qemu-utils", "uidmap", "util-linux", "xorriso", "xz-utils", "zstd",
    ]

    /// What the checks of the package look with, whom the mirrors are trusted by, and what the package only suggests.
    private static let lookers = ["apparmor", "bash-completion", "ca-certificates", "haproxy", "man-db"]

    /// Makes the users: `kiln`, who runs root's machines, and a person with a home.
    private static let userHooks = [
        #"chroot "$1" useradd --system --user-group --no-create-home --home-dir /var/lib/kiln --shell /usr/sbin/nologin kiln"#,
        #"chroot "$1" useradd --create-home --uid 1000 --user-group --shell /bin/sh \#(Account.Kind.person.user)"#,
    ]

    let suite: String
    var kind = Kind.equipped
    let place: HostPlace

    var packages: [String] { kind == .bare ? HostRoot.lookers : HostRoot.equipment }
    private var hooks: [String] { kind == .bare ? [HostRoot.userHooks[1]] : HostRoot.userHooks }
    private var prefix: String { kind == .bare ? "\(suite).bare-" : "\(suite)-" }

    /// Where it lies.
    var path: String { "\(place.roots)/\(prefix)\(HostRoot.key(suite, packages + hooks))" }

    /// What tells a root from one that is made otherwise.
    static func key(_ suite: String, _ parts: [String]) -> String {
        // A separator that no part has, so that no two lists are the same text.
        let text = ([suite] + parts.sorted()).joined(separator: "\n")
        return SHA256.hash(data: Data(text.utf8)).prefix(6).map { String(format: "%02x", $0) }.joined()
    }

    /// Makes it where it isn't cached, and removes what was made otherwise before.
    func make() async throws {
        guard access(path, F_OK) != 0 else { return }
        let start = ContinuousClock.now
        say("\(suite): making a root with \(packages.count) packages")
        try removeOthers()
        let unfinished = path + ".unfinished"
        try FileManager.default.createDirectory(atPath: unfinished, withIntermediateDirectories: true)
        let scratch = path + ".apt"
        defer { try? FileManager.default.removeItem(atPath: scratch) }
        let sources = try await DebianSources.ofHost(for: suite, scratch: scratch).lines.joined(separator: "\n") + "\n"
        let list = path + ".list"
        try Data(sources.utf8).write(to: URL(fileURLWithPath: list))
        defer { unlink(list) }
        try Child.insist(try line(into: unfinished, sources: list), within: .seconds(900))
        // Only a whole one has this name.
        try FileManager.default.moveItem(atPath: unfinished, toPath: path)
        say("\(suite): made in \((ContinuousClock.now - start).formatted(.units(allowed: [.seconds])))")
    }

    private func line(into target: String, sources: String) throws -> [String] {
        // In namespaces of its own, so that no mount and no process of it is left where it ends early.
        ["setpriv", "--pdeathsig", "KILL", "--"]
            + ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc"]
            // The lists stay: kiln asks apt which archives there are.
            + ["mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", "--skip=cleanup/apt/lists"]
            + hooks.map { "--customize-hook=" + $0 }
            + (try aptOptions.map { "--aptopt=" + $0 })
            + ["--include=" + packages.joined(separator: ","), suite, target, sources]
    }

    /// How this host's apt reaches its archives, such as by a proxy.
    private var aptOptions: [String] {
        get throws {
            let wanted = ["Acquire::http::", "Acquire::https::", "Acquire::Check-"]
            return try Child.insist(["apt-config", "dump"]).split(separator: "\n").map(String.init)
                .filter { line in wanted.contains { line.hasPrefix($0) } }
        }
    }

    private func removeOthers() throws {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: place.roots)) ?? []
        where name.hasPrefix(prefix) {
            try FileManager.default.removeItem(atPath: "\(place.roots)/\(name)")
        }
    }
}

/// Tells people what happens.
func say(_ text: String) { FileHandle.standardError.write(Data("\(text)\n".utf8)) }
