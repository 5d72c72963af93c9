import Foundation

/// A server as a lab file declares it.
public struct ServerSpec: Sendable, Hashable {
    /// How much of the network a guest sees; published ports work in both modes.
    public enum Network: String, Sendable, Hashable, Codable, CaseIterable {
        /// The guest reaches the host's loopback (10.0.2.2) and whatever the host reaches.
        case open
        /// The guest reaches nothing.
        case isolated
    }

    /// What becomes of what a guest writes to its root.
    public enum Root: String, Sendable, Hashable, Codable, CaseIterable {
        /// It lives as long as the generation.
        case persistent
        /// It is kept in the guest's memory and does not even survive a reboot.
        case volatile
    }

    /// How a new generation comes to run.
    public enum Launch: String, Sendable, Hashable, Codable, CaseIterable {
        /// It boots.
        case boot
        /// Where nothing served before it, it is a clone of a template that has booted before, as far as there is one.
        case flash
    }

    /// What a replacement does about data that the old root has below a mount point, where a volume hides it.
    public enum HiddenData: String, Sendable, Hashable, Codable, CaseIterable {
        /// It names it, and keeps the root.
        case report
        /// It ends before the volumes move on, and the old machine serves again.
        case abort
    }

    /// The image that the server's machines boot from.
    public var image: ImageReference
    /// Memory of a machine; nothing means the image's default.
    public var memory: ByteCount?
    /// Virtual processors, 1 to 64; nothing means the image's default.
    public var processors: Int?
    /// Which instructions a machine's processors have; nothing means the image's default.
    public var cpu: ProcessorModel?
    /// The size of a machine's root disk; nothing means that of the image, and less is refused.
    public var disk: ByteCount?
    /// Where each volume is mounted in the guest, by volume.
    public var volumes: [Name: String]
    /// The published ports by name.
    public var ports: [Name: PortSpec]
    /// cloud-init user-data of the user: a map, as after `#cloud-config`.
    public var userData: JSONValue?
    /// User-data of the user in any other form; then ``userData`` is nothing.
    public var userDataDocument: UserDataDocument?
    /// What of the network the guest sees.
    public var network: Network
    /// The networks of its lab that it is on, in the order of its cards.
    public var networks: [Name]
    /// What becomes of what the guest writes to its root.
    public var root: Root
    /// How one generation follows another where the command does not say.
    public var strategy: Strategy
    /// What must hold for the server to count as ready, in order.
    public var ready: [Check]
    /// What must hold for a machine of a warm-first replacement before the old one is stopped; it has no volumes yet.
    public var warmReady: [Check]
    /// What must hold, once the server is healthy, for the new generation to be kept; in order.
    public var verify: [Check]
    /// Run in the old machine, or in that of a member that goes, before it is asked to shut down; in order.
    public var drain: [Hook]
    /// Run in the new machine of a warm-first replacement once its volumes are mounted, in order.
    public var afterAttach: [Hook]
    /// Run in the first machine of a new member that got copies of another one's volumes, before it has to be ready; in order.
    public var afterClone: [Hook] = []
    /// How long a machine may take to be ready; nothing means the default for the host's acceleration.
    public var readyTimeout: Duration?
    /// How long a new machine that is ready must stay so before it counts as healthy; zero means not at all.
    public var minHealthy: Duration
    /// How long readiness and `minHealthy` may take together; nothing means the sum of both.
    public var healthyDeadline: Duration?
    /// How long a machine may take to shut down by itself.
    public var stopTimeout: Duration
    /// How long the requests of clients wait while nobody serves; nothing means that they don't, and that the machine has the
    /// published ports itself.
    public var hold: Duration?
    /// How many connections a machine gets at once where they are held, 1 to 1,000; nothing means ``FrontSpec``'s default.
    public var connections: Int?
    /// How long a machine that is about to stop may go on with what clients have begun; nothing means ``FrontSpec``'s default.
    public var drainTimeout: Duration?
    /// Console lines that contain one of these texts do not fail a generation.
    public var consoleAllow: [String]
    /// Paths of the root that may differ from the image, besides those that the image declares.
    public var ephemeral: [String]
    /// How many roots of past generations are kept to be looked at, 0 to 16; they hold secrets as a running root does.
    public var keepRoots: Int
    /// What a replacement does about data that a volume hides on the old root.
    public var hiddenData: HiddenData
    /// The age at which a generation is due to be replaced; nothing means never.
    public var maxAge: Duration?
    /// Its members; nothing means that it is its only one.
    public var fleet: FleetSpec?
    /// What an autopilot may do for it; nothing means that it leaves it alone.
    public var heal: HealSpec?
    /// How many members an autopilot may let it have; nothing means that it lets it have those that are declared.
    public var autoscale: AutoscaleSpec?
    /// How its new generations come to run.
    public var launch = Launch.boot

    /// A server from its parts; clients are not kept, it is its only member and no autopilot heals or scales it where that is not
    /// set afterwards.
    public init(
        image: ImageReference,
        memory: ByteCount? = nil,
        processors: Int? = nil,
        cpu: ProcessorModel? = nil,
        disk: ByteCount? = nil,
        volumes: [Name: String] = [:],
        ports: [Name: PortSpec] = [:],
        userData: JSONValue? = nil,
        userDataDocument: UserDataDocument? = nil,
        network: Network = .open,
        networks: [Name] = [],
        root: Root = .persistent,
        strategy: Strategy = .stopFirst,
        ready: [Check] = ServerSpec.defaultReady,
        warmReady: [Check] = ServerSpec.defaultReady,
        verify: [Check] = [],
        drain: [Hook] = [],
        afterAttach: [Hook] = [],
        readyTimeout: Duration? = nil,
        minHealthy: Duration = .zero,
        healthyDeadline: Duration? = nil,
        stopTimeout: Duration = .seconds(60),
        consoleAllow: [String] = [],
        ephemeral: [String] = [],
        keepRoots: Int = 1,
        hiddenData: HiddenData = .report,
        maxAge: Duration? = nil
    ) {
        self.image = image
        self.memory = memory
        self.processors = processors
        self.cpu = cpu
        self.disk = disk
        self.volumes = volumes
        self.ports = ports
        self.userData = userData
        self.userDataDocument = userDataDocument
        self.network = network
        self.networks = networks
        self.root = root
        self.strategy = strategy
        self.ready = ready
        self.warmReady = warmReady
        self.verify = verify
        self.drain = drain
        self.afterAttach = afterAttach
        self.readyTimeout = readyTimeout
        self.minHealthy = minHealthy
        self.healthyDeadline = healthyDeadline
        self.stopTimeout = stopTimeout
        self.consoleAllow = consoleAllow
        self.ephemeral = ephemeral
        self.keepRoots = keepRoots
        self.hiddenData = hiddenData
        self.maxAge = maxAge
    }

    /// What a machine has to compute with, where the server leaves the rest to its image.
    public func size(over image: MachineSize) -> MachineSize {
        MachineSize(
            memory: memory ?? image.memory,
            processors: processors ?? image.processors,
            cpu: cpu ?? image.cpu
        )
    }

    /// What must hold where the lab file does not say: cloud-init has ended, as it says itself.
    public static let defaultReady = [Check(.cloudInit())]

    /// The volumes and their mount paths in the order in which they have to be mounted: what lies below another mount point
    /// comes after it, for it lies on that volume.
    public var mounts: [(volume: Name, path: String)] {
        // The path of a parent begins what is below it, so it sorts first.
        volumes.sorted { ($0.value, $0.key) < ($1.value, $1.key) }.map { (volume: $0.key, path: $0.value) }
    }

    /// The top-level keys of its cloud-config.
    public var userDataKeys: [String] {
        guard case .object(let fields)? = userData else { return userDataDocument?.keys ?? [] }
        return fields.keys.sorted()
    }

    /// Whether its user-data may bring an agent that its image has not: it names one, or nobody can read it.
    public var mayBringAgent: Bool {
        if let userDataDocument { return userDataDocument.text.map(ServerSpec.namesAgent) ?? true }
        guard let userData, let text = try? JSONEncoder().encode(userData) else { return false }
        return ServerSpec.namesAgent(String(decoding: text, as: UTF8.self))
    }

    // qemu-guest-agent is what distributions call it, and qemu-ga the program.
    private static func namesAgent(_ text: String) -> Bool {
        text.contains("guest-agent") || text.contains("qemu-ga") || text.contains("#include")
    }

    /// The check that cloud-init, which makes the mounts, has ended.
    ///
    /// It is the one in `ready`, which says whether errors that cloud-init got over matter. Where there is none, they don't.
    public var endOfCloudInit: Check {
        let declared = ready.first { if case .cloudInit = $0.probe { true } else { false } }
        return declared ?? Check(.cloudInit(allowDegraded: true))
    }
}

/// A command that is run in a guest at a certain moment of a replacement.
public struct Hook: Sendable, Hashable, Codable {
    /// How long one may take that says nothing of that.
    public static let usualDeadline = Duration.seconds(30)

    /// The program and its arguments; no shell looks at them.
    public let command: [String]
    /// How long it may take.
    public var deadline: Duration
    // Nothing where it is not: what does not ask for it is written as an earlier version wrote it.
    private let quiet: Bool?

    /// Whether no request of a client is under way while it runs.
    public var isQuiet: Bool { quiet == true }

    /// A hook from its parts.
    public init(_ command: [String], deadline: Duration = usualDeadline, isQuiet: Bool = false) {
        self.command = command
        self.deadline = deadline
        quiet = isQuiet ? true : nil
    }
}

/// A port of the guest that the host publishes on 127.0.0.1.
public struct PortSpec: Sendable, Hashable, Codable {
    /// The port that the guest listens on.
    public let guest: UInt16
    /// The host's port where the file fixes it; nothing means that Kiln chooses one and keeps it.
    public let host: UInt16?
    /// By what it is spoken to.
    public let transport: Transport

    /// A port from its parts.
    public init(guest: UInt16, host: UInt16? = nil, transport: Transport = .tcp) {
        self.guest = guest
        self.host = host
        self.transport = transport
    }

    private enum CodingKeys: String, CodingKey {
        case guest, host
        case transport = "protocol"
    }

    /// Decodes a port that this or an earlier version wrote, which knew TCP only.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        guest = try fields.decode(UInt16.self, forKey: .guest)
        host = try fields.decodeIfPresent(UInt16.self, forKey: .host)
        transport = try fields.decodeIfPresent(Transport.self, forKey: .transport) ?? .tcp
    }
}

/// What carries the bytes of a port.
public enum Transport: String, Sendable, Hashable, Codable, CaseIterable {
    /// Connections.
    case tcp
    /// Datagrams.
    case udp

    /// What is written behind a port; nothing for what ports are without a word.
    public var suffix: String { self == .tcp ? "" : "/\(rawValue)" }
}

// What was written by an earlier version has fewer fields; what it lacks has its default. So a lab that is up stays up
// when Kiln is updated.
extension ServerSpec: Codable {
    private enum CodingKeys: String, CodingKey {
        case image, memory, processors, cpu, disk, volumes, ports, userData, userDataDocument, network, root, strategy,
            ready
        case warmReady, networks
        case verify, drain, afterAttach, readyTimeout, minHealthy, healthyDeadline, stopTimeout, consoleAllow, ephemeral
        case keepRoots, hiddenData, maxAge, hold, connections, drainTimeout, afterClone, fleet, heal
        case autoscale, launch
    }

    /// Decodes a server that this or an earlier version wrote.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        func field<Value: Decodable>(_ key: CodingKeys, or fallback: Value) throws -> Value {
            try fields.decodeIfPresent(Value.self, forKey: key) ?? fallback
        }
        self.init(image: try fields.decode(ImageReference.self, forKey: .image))
        memory = try fields.decodeIfPresent(ByteCount.self, forKey: .memory)
        processors = try fields.decodeIfPresent(Int.self, forKey: .processors)
        cpu = try fields.decodeIfPresent(ProcessorModel.self, forKey: .cpu)
        disk = try fields.decodeIfPresent(ByteCount.self, forKey: .disk)
        volumes = try field(.volumes, or: volumes)
        ports = try field(.ports, or: ports)
        userData = try fields.decodeIfPresent(JSONValue.self, forKey: .userData)
        userDataDocument = try fields.decodeIfPresent(UserDataDocument.self, forKey: .userDataDocument)
        network = try field(.network, or: network)
        networks = try field(.networks, or: networks)
        root = try field(.root, or: root)
        strategy = try field(.strategy, or: strategy)
        ready = try field(.ready, or: ready)
        warmReady = try field(.warmReady, or: warmReady)
        verify = try field(.verify, or: verify)
        drain = try field(.drain, or: drain)
        afterAttach = try field(.afterAttach, or: afterAttach)
        afterClone = try field(.afterClone, or: afterClone)
        readyTimeout = try fields.decodeIfPresent(Duration.self, forKey: .readyTimeout)
        minHealthy = try field(.minHealthy, or: minHealthy)
        healthyDeadline = try fields.decodeIfPresent(Duration.self, forKey: .healthyDeadline)
        stopTimeout = try field(.stopTimeout, or: stopTimeout)
        hold = try fields.decodeIfPresent(Duration.self, forKey: .hold)
        connections = try fields.decodeIfPresent(Int.self, forKey: .connections)
        drainTimeout = try fields.decodeIfPresent(Duration.self, forKey: .drainTimeout)
        consoleAllow = try field(.consoleAllow, or: consoleAllow)
        ephemeral = try field(.ephemeral, or: ephemeral)
        keepRoots = try field(.keepRoots, or: keepRoots)
        hiddenData = try field(.hiddenData, or: hiddenData)
        maxAge = try fields.decodeIfPresent(Duration.self, forKey: .maxAge)
        fleet = try fields.decodeIfPresent(FleetSpec.self, forKey: .fleet)
        heal = try fields.decodeIfPresent(HealSpec.self, forKey: .heal)
        autoscale = try fields.decodeIfPresent(AutoscaleSpec.self, forKey: .autoscale)
        launch = try field(.launch, or: launch)
    }
}
