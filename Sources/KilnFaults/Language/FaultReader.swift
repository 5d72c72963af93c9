import KilnDocuments
import KilnModel

/// What the lab of a file declares that faults can be made in.
package struct FaultReader: Sendable {
    /// A server, as far as it could be read.
    package struct Server: Sendable {
        package let name: Name
        package let volumes: [Name]
        package let networks: [Name]
        /// Its published TCP ports.
        package let ports: [Name]

        package init(name: Name, volumes: [Name], networks: [Name], ports: [Name]) {
            self.name = name
            self.volumes = volumes
            self.networks = networks
            self.ports = ports
        }
    }

    package let servers: [Server]

    package init(servers: [Server]) { self.servers = servers }

    /// A server of the lab.
    func server(_ value: Value?) -> Server? {
        guard let name = value?.reference("server", among: servers.map(\.name)) else { return nil }
        return servers.first { $0.name == name }
    }

    /// A network that the server is on.
    func network(_ value: Value?, of server: Server?) -> Name? {
        guard let server else { return nil }
        return value?.reference("network of '\(server.name)'", among: server.networks)
    }

    /// A volume that the server has.
    func volume(_ value: Value?, of server: Server?) -> Name? {
        guard let server else { return nil }
        return value?.reference("volume of '\(server.name)'", among: server.volumes)
    }
}

/// Which of a server's machines is meant.
package enum MachineRole: String, Sendable, Hashable, CaseIterable {
    /// The one that commands reach.
    case serving
    /// The one that an open replacement takes away.
    case old
    /// The one that an open replacement brings.
    case new
}

/// A server's machine, as faults name it.
struct MachineTarget: Sendable {
    let server: Name
    let role: MachineRole

    init(server: Name, role: MachineRole) {
        self.server = server
        self.role = role
    }

    /// Both parts; nothing where one could not be read.
    init?(server: FaultReader.Server?, role value: Value?) {
        let role = value.map { $0.word(MachineRole.self) } ?? .serving
        guard let server, let role else { return nil }
        self.server = server.name
        self.role = role
    }

    var words: String { role == .serving ? server.text : "the \(role.rawValue) machine of \(server)" }

    static let schema = Schema.words(MachineRole.self, "Which of its machines; the serving one without it.")
}
