import Foundation
import KilnModel
import KilnSystem

/// How commands get into the guest of one generation; kept beside its record, which never changes.
struct GuestAccessRecord: Sendable, Hashable, Codable {
    // First, and so decoded first: what a later version wrote need not have what follows.
    private var format = RecordFormat()
    /// The port of 127.0.0.1 that leads to the guest's SSH server while the machine runs; chosen at each start.
    var port: UInt16
    /// When the machine was started.
    var started: HostUptime
    /// How commands got into guests of the image before.
    var expected: GuestWay?
    /// How they get into this one, once that was found out.
    var way: GuestWay?

    init(port: UInt16, started: HostUptime, expected: GuestWay?, way: GuestWay?) {
        self.port = port
        self.started = started
        self.expected = expected
        self.way = way
    }
}

/// The way to the SSH server of one guest.
public struct GuestRoute: Sendable, Hashable {
    /// Where it answers, on 127.0.0.1.
    public let port: UInt16
    /// The one host key that it may have, in OpenSSH's text format.
    public let hostKey: String
    /// The path of the private key that opens the guest.
    public let identity: String
    /// Where the host key is written down for OpenSSH.
    public let knownHosts: String
    /// Where the sockets of connections that are kept open lie, by user; without one each command connects anew.
    public let sockets: [String: String]
    /// As whom Kiln logs in, in this order, until one is let in.
    public let users: [String]

    /// Root, then those that cloud-init makes by default, who may become root.
    public static let users = ["root", "debian", "ubuntu"]

    /// A route from its parts.
    public init(
        port: UInt16,
        hostKey: String,
        identity: String,
        knownHosts: String,
        sockets: [String: String] = [:],
        users: [String] = GuestRoute.users
    ) {
        self.port = port
        self.hostKey = hostKey
        self.identity = identity
        self.knownHosts = knownHosts
        self.sockets = sockets
        self.users = users
    }
}

/// What the files of a generation tell of the ways into its guest.
public struct GuestEntrance: Sendable, Hashable {
    /// The way that was found out.
    public let found: GuestWay?
    /// The way to its SSH server, where its image is said to have one and its seed brought the keys.
    public let route: GuestRoute?
    /// Whether the guest's set-up has ended, as far as its console tells.
    public let isSetUp: Bool
    /// Whether its SSH server is to be asked where no agent has connected: an agent may still come before the end of its set-up.
    public let mayUseSSH: Bool

    /// How long a guest whose console tells nothing of cloud-init is given to start its agent.
    static let silence = Duration.seconds(120)

    /// An entrance from its parts.
    public init(found: GuestWay?, route: GuestRoute?, isSetUp: Bool, mayUseSSH: Bool) {
        self.found = found
        self.route = route
        self.isSetUp = isSetUp
        self.mayUseSSH = mayUseSSH
    }

    /// What is known of a machine's; nothing of one that has no record, or an older Kiln's.
    ///
    /// - Throws: `KilnError` with code `state.unreadable`.
    public static func of(_ machine: MachineID, in state: StateDirectory) throws -> GuestEntrance {
        let generation = state.generation(machine)
        let access = try DurableFile.readJSON(GuestAccessRecord.self, from: state.access(machine))
        let record = try DurableFile.readJSON(GenerationRecord.self, from: generation + "/generation.json")
        let boot = (try? DurableFile.readJSON([UInt64].self, from: generation + "/console.start"))?.first ?? 0
        let console = ConsoleLog(path: state.consoleLog(machine), start: boot)
        let isSetUp = console.tellsOfCloudInitEnd
        let isSilent =
            !console.tellsOfCloudInit && access.flatMap { HostUptime.now.since($0.started) } ?? .zero > silence
        return GuestEntrance(
            found: access?.way,
            route: record.flatMap { record in access.flatMap { route(record, $0, state) } },
            isSetUp: isSetUp,
            mayUseSSH: isSetUp || isSilent || access?.expected == .ssh
        )
    }

    private static func route(
        _ record: GenerationRecord,
        _ access: GuestAccessRecord,
        _ state: StateDirectory
    ) -> GuestRoute? {
        guard record.takesKeys, let hostKey = record.hostKey else { return nil }
        return GuestRoute(
            port: access.port,
            hostKey: hostKey,
            identity: state.root + "/ssh/id_ed25519",
            knownHosts: state.generation(record.machine) + "/known_hosts",
            sockets: Dictionary(uniqueKeysWithValues: state.sshSockets(record.machine))
        )
    }
}

extension GenerationRecord {
    /// Whether its seed has brought keys to an SSH server.
    var takesKeys: Bool { hostKey != nil && cloudInit != .none }
}
