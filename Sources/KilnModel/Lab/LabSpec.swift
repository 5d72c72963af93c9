/// A lab as its file declares it: the unit that is isolated, listed and destroyed.
public struct LabSpec: Sendable, Hashable, Codable {
    /// The lab's name.
    public let name: Name
    /// Its volumes by name.
    public let volumes: [Name: VolumeSpec]
    /// Its servers by name.
    public let servers: [Name: ServerSpec]
    /// Which images its new generations may be made from.
    public let images: ImagePolicy
    /// The networks by which its servers reach each other, in the order of their names.
    public let networks: [Name]

    /// A lab from its parts.
    public init(
        name: Name,
        volumes: [Name: VolumeSpec],
        servers: [Name: ServerSpec],
        images: ImagePolicy = .any,
        networks: [Name] = []
    ) {
        self.name = name
        self.volumes = volumes
        self.servers = servers
        self.images = images
        self.networks = networks.sorted()
    }

    /// Decodes a lab that this or an earlier version wrote, which took any image and had no networks.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        name = try fields.decode(Name.self, forKey: .name)
        volumes = try fields.decode([Name: VolumeSpec].self, forKey: .volumes)
        servers = try fields.decode([Name: ServerSpec].self, forKey: .servers)
        images = try fields.decodeIfPresent(ImagePolicy.self, forKey: .images) ?? .any
        networks = try fields.decodeIfPresent([Name].self, forKey: .networks) ?? []
    }

    /// The same lab with other declarations of some servers.
    public func with(_ others: [Name: ServerSpec]) -> LabSpec {
        LabSpec(
            name: name,
            volumes: volumes,
            servers: servers.merging(others) { _, other in other },
            images: images,
            networks: networks
        )
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
