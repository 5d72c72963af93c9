import Foundation
import Glibc
import KilnModel
import KilnSystem
import LibvirtKit

/// Which hypervisor Kiln talks to, and who said so.
public struct HostConnection: Sendable, Hashable, CustomStringConvertible {
    /// Who named the hypervisor.
    public enum Source: String, Sendable, Hashable, Codable {
        /// The option `--connect`.
        case option = "--connect"
        /// The environment.
        case environment = "LIBVIRT_DEFAULT_URI"
        /// The lab file.
        case lab = "the lab file"
        /// Nobody: it is the default.
        case standard = "the default"
    }

    /// The kinds of hypervisor, as far as Kiln treats them differently.
    public enum Kind: Sendable, Hashable {
        /// Kiln's own unprivileged daemon.
        case privateDaemon
        /// A session daemon of the user.
        case session
        /// The daemon of the host.
        case system
        /// Inside this process, below a directory.
        case embedded(root: String)
        /// libvirt's simulation.
        case test
    }

    /// Who named it.
    public let source: Source
    /// Its kind.
    public let kind: Kind
    /// The URI as it was named; nothing for the private daemon, whose URI is known once it runs.
    public let uri: String?

    /// For people: what it is and where that comes from.
    public var description: String { "\(uri ?? "a private session daemon") (\(source.rawValue))" }

    /// Whether only one command at a time can use it.
    public var isExclusive: Bool {
        if case .embedded = kind { true } else { false }
    }

    /// Chooses: the option, then the environment, then the lab file, then Kiln's own daemon.
    ///
    /// Empty texts count as absent.
    ///
    /// - Throws: `KilnError` with code `connect.refused` for a URI that `LibvirtURI` refuses, and for root's
    ///   `qemu:///session`, which libvirt would quietly turn into the system's.
    public static func resolve(
        option: String?,
        environment: [String: String] = ProcessEnvironment.variables,
        lab: String?,
        isRoot: Bool = geteuid() == 0
    ) throws -> HostConnection {
        let candidates: [(String?, Source)] = [
            (option, .option), (environment["LIBVIRT_DEFAULT_URI"], .environment), (lab, .lab),
        ]
        for case (let text?, let source) in candidates where !text.isEmpty {
            return HostConnection(source: source, kind: try kind(text, source, isRoot: isRoot), uri: text)
        }
        return HostConnection(source: .standard, kind: .privateDaemon, uri: nil)
    }

    /// The user that definitions of machines have to name: nothing where QEMU runs as the daemon's user anyway.
    func user(owner: MachineOwner, isRoot: Bool = geteuid() == 0) -> MachineSpec.User? {
        switch kind {
        case .privateDaemon, .session, .test: nil
        case .system: MachineSpec.User(uid: owner.uid, gid: owner.gid)
        // Without root's rights, an embedded libvirt can only run QEMU as this user.
        case .embedded: isRoot ? MachineSpec.User(uid: owner.uid, gid: owner.gid) : nil
        }
    }

    private static func kind(_ text: String, _ source: Source, isRoot: Bool) throws -> Kind {
        do {
            _ = try LibvirtURI(validating: text)
        } catch {
            throw refused(text, source, Printable.text(error.message.utf8))
        }
        let parts = URLComponents(string: text)
        if text.hasPrefix("test:") { return .test }
        switch parts?.path {
        case "/embed":
            guard let root = parts?.queryItems?.first(where: { $0.name == "root" })?.value else {
                throw refused(text, source, "it names no root")
            }
            return .embedded(root: root)
        case "/session":
            let hasSocket = parts?.queryItems?.contains { $0.name == "socket" } ?? false
            guard !isRoot || hasSocket else {
                throw refused(text, source, "root has no session: libvirt would use the system's daemon instead")
            }
            return .session
        default: return .system
        }
    }

    private static func refused(_ text: String, _ source: Source, _ why: String) -> KilnError {
        KilnError(
            .connectRefused,
            "the hypervisor \(Name.quoted(text)) from \(source.rawValue) is not acceptable: \(why)",
            hint:
                "leave it out to use Kiln's private daemon, or name qemu:///system or qemu:///embed?root=/a/directory",
            exit: .usage
        )
    }
}
