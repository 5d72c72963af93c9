/// A lab as its file declares it: the unit that is isolated, listed and destroyed.
public struct LabSpec: Sendable, Hashable, Codable {
    /// The lab's name.
    public let name: Name
    /// Its volumes by name.
    public let volumes: [Name: VolumeSpec]
    /// Its servers by name.
    public let servers: [Name: ServerSpec]

    /// A lab from its parts.
    public init(name: Name, volumes: [Name: VolumeSpec], servers: [Name: ServerSpec]) {
        self.name = name
        self.volumes = volumes
        self.servers = servers
    }
}

/// A volume as a lab file declares it.
public struct VolumeSpec: Sendable, Hashable, Codable {
    /// The file systems that a volume can be formatted with, once, when it is created.
    public enum FileSystem: String, Sendable, Hashable, Codable, CaseIterable {
        /// Linux ext4.
        case ext4
    }

    /// The size that the guest sees.
    public let size: ByteCount
    /// The file system that the host puts on it at creation.
    public let fileSystem: FileSystem

    /// A volume from its parts.
    public init(size: ByteCount, fileSystem: FileSystem = .ext4) {
        self.size = size
        self.fileSystem = fileSystem
    }
}

/// A server as a lab file declares it.
public struct ServerSpec: Sendable, Hashable, Codable {
    /// How much of the network a guest sees; published ports work in both modes.
    public enum Network: String, Sendable, Hashable, Codable, CaseIterable {
        /// The guest reaches the host's loopback (10.0.2.2) and whatever the host reaches.
        case open
        /// The guest reaches nothing.
        case isolated
    }

    /// Where a machine keeps what is written to its root.
    public enum Root: String, Sendable, Hashable, Codable, CaseIterable {
        /// In a layer on top of its image, until the machine is replaced.
        case persistent
        /// In its memory, until its next boot.
        case volatile
    }

    /// The image that the server's machines boot from.
    public var image: ImageReference
    /// Memory of a machine; nothing means the image's default.
    public var memory: ByteCount?
    /// Virtual processors, 1 to 64; nothing means the image's default.
    public var processors: Int?
    /// Where each volume is mounted in the guest, by volume.
    public var volumes: [Name: String]
    /// The published ports by name.
    public var ports: [Name: PortSpec]
    /// cloud-init user-data of the user: a map, as after `#cloud-config`.
    public var userData: JSONValue?
    /// What must hold for the server to count as ready, in order.
    public var ready: [Probe]
    /// How long a machine may take to be ready; nothing means the default for the host's acceleration.
    public var readyTimeout: Duration?
    /// How long a machine may take to shut down by itself.
    public var stopTimeout: Duration
    /// What of the network the guest sees.
    public var network: Network
    /// Where its machines keep what is written to their root; nothing means in a layer.
    public var root: Root?

    /// A server from its parts.
    public init(
        image: ImageReference,
        memory: ByteCount? = nil,
        processors: Int? = nil,
        volumes: [Name: String] = [:],
        ports: [Name: PortSpec] = [:],
        userData: JSONValue? = nil,
        ready: [Probe] = [.agent, .cloudInit()],
        readyTimeout: Duration? = nil,
        stopTimeout: Duration = .seconds(60),
        network: Network = .open,
        root: Root? = nil
    ) {
        self.image = image
        self.memory = memory
        self.processors = processors
        self.volumes = volumes
        self.ports = ports
        self.userData = userData
        self.ready = ready
        self.readyTimeout = readyTimeout
        self.stopTimeout = stopTimeout
        self.network = network
        self.root = root
    }
}

/// A port of the guest that the host publishes on 127.0.0.1.
public struct PortSpec: Sendable, Hashable, Codable {
    /// The TCP port that the guest listens on.
    public let guest: UInt16
    /// The host's port where the file fixes it; nothing means that Kiln chooses one and keeps it.
    public let host: UInt16?

    /// A port from its parts.
    public init(guest: UInt16, host: UInt16? = nil) {
        self.guest = guest
        self.host = host
    }
}
