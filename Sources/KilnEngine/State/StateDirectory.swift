import Foundation
import KilnModel

/// Where Kiln keeps what it knows, and the paths in it.
///
/// ```
/// images/                                  the image store
/// volumes/LAB/VOLUME/                      lock, volume.json, layers
/// retained/LAB.VOLUME.TIME/                volumes after 'volume delete'; what a restore discarded
/// labs/LAB/lab.json, ports.json            the lab as last brought up; its published ports
/// labs/LAB/servers/SERVER/lock, journal
/// labs/LAB/servers/SERVER/generations/N/   generation.json, root.qcow2, seed.iso, console.log
/// sockets/                                 consoles, agents and ledger ports
/// daemon/                                  the private libvirt daemon
/// ssh/                                     the key that opens the guests
/// roots/                                   copies of roots that are being looked at
/// scratch/                                 acknowledgements of the scenarios that run
/// runs/                                    which labs belong to runs of scenarios, and their locks
/// evidence/                                what failed runs left to look at
/// ```
public struct StateDirectory: Sendable, Hashable {
    /// The directory itself.
    public let root: String
    /// The same as `sockets/`, by a path short enough for a unix socket (107 bytes).
    public let sockets: String

    /// How the name of a server's directory begins while it is removed.
    static let forgotten = ".gone-"

    /// A state directory.
    public init(root: String, sockets: String) {
        self.root = root
        self.sockets = sockets
    }

    /// The image store.
    public var images: String { root + "/images" }
    /// Evidence of failed runs.
    public var evidence: String { root + "/evidence" }
    /// Copies of roots that are being looked at.
    public var roots: String { root + "/roots" }
    /// Runs of scenarios.
    public var runs: String { root + "/runs" }
    /// All labs.
    public var labs: String { root + "/labs" }
    /// All volumes, by lab.
    public var volumes: String { root + "/volumes" }
    /// Volumes that were deleted but not removed.
    public var retained: String { root + "/retained" }

    /// One lab.
    public func lab(_ name: Name) -> String { "\(labs)/\(name)" }
    /// One server.
    public func server(_ id: ServerID) -> String { "\(lab(id.lab))/servers/\(id.server)" }
    /// One volume.
    public func volume(lab: Name, _ name: Name) -> String { "\(volumes)/\(lab)/\(name)" }
    /// One generation.
    public func generation(_ id: MachineID) -> String { "\(server(id.server))/generations/\(id.generation)" }
    /// The root overlay of a generation.
    public func rootOverlay(_ id: MachineID) -> String { generation(id) + "/root.qcow2" }
    /// The seed of a generation.
    public func seed(_ id: MachineID) -> String { generation(id) + "/seed.iso" }
    /// The console log of a generation.
    public func consoleLog(_ id: MachineID) -> String { generation(id) + "/console.log" }
    /// The console socket of a generation.
    public func consoleSocket(_ id: MachineID) -> String { socket(id, "console") }
    /// The guest agent's socket of a generation.
    public func agentSocket(_ id: MachineID) -> String { socket(id, "agent") }
    /// The ledger socket of a generation.
    public func ledgerSocket(_ id: MachineID) -> String { socket(id, "ledger") }

    private func socket(_ id: MachineID, _ kind: String) -> String {
        "\(sockets)/\(String(StableHash.fnv1a(id.domainName), radix: 16)).\(kind)"
    }
}
