/// What reaches the machines of a server from outside of their image, and is not one generation's own.
///
/// Two servers with the same configuration make the same machine of an image, but for identity and data: names of servers and
/// of volumes, published ports, and what is looked at from outside are none of it. It holds secrets, and is kept as a digest.
public struct ServerConfiguration: Sendable, Hashable, Encodable {
    /// Memory, where it is not the image's default.
    public let memory: ByteCount?
    /// Virtual processors, where they are not the image's default.
    public let processors: Int?
    /// The processors' instructions, where they are not the image's default.
    public let cpu: ProcessorModel?
    /// The root disk's size, where it is not the image's.
    public let disk: ByteCount?
    /// The networks of its lab that it is on, in the order of its cards; nothing where it is on none.
    public let networks: [Name]?
    /// Where volumes are mounted, in order.
    public let mounts: [String]
    /// The user's cloud-config.
    public let userData: JSONValue?
    /// The user's user-data in any other form.
    public let userDataDocument: UserDataDocument?
    /// What the guest sees of the network.
    public let network: ServerSpec.Network
    /// What becomes of what the guest writes to its root.
    public let root: ServerSpec.Root

    /// The configuration of a server as it is declared.
    public init(of spec: ServerSpec) {
        memory = spec.memory
        processors = spec.processors
        cpu = spec.cpu
        disk = spec.disk
        networks = spec.networks.isEmpty ? nil : spec.networks
        mounts = spec.volumes.values.sorted()
        userData = spec.userData
        userDataDocument = spec.userDataDocument
        network = spec.network
        root = spec.root
    }

    /// The paths of the files that its cloud-config writes, as far as they can be told.
    public var files: [String] {
        guard case .object(let fields)? = userData, case .array(let files)? = fields["write_files"] else { return [] }
        return files.compactMap { file in
            guard case .object(let parts) = file, case .string(let path)? = parts["path"] else { return nil }
            return path
        }
    }
}
