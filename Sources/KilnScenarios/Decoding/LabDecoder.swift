import KilnDocuments
import KilnModel

/// A server as far as it could be read, for checks on what refers to it.
struct DeclaredServer {
    let name: Name
    /// The names of its published ports, valid or not, so that one mistake is reported once.
    let ports: [Name]
    /// Those of them that a request can be made of.
    var tcpPorts: [Name] = []
    /// The mount paths that could be read.
    let mounts: [String]
    /// Where its user-data does with a volume what a warm-first replacement does itself.
    var ownMounts: [PlacedOwnMount] = []
    /// Nothing where it could not be read.
    let spec: ServerSpec?
}

/// A lab as far as it could be read.
struct DecodedLab {
    /// What its own file calls it, where it has one.
    var ownName: Name?
    var volumes: [Name: VolumeSpec] = [:]
    /// The names of its volumes, valid or not, so that one mistake is reported once.
    var volumeNames: [Name] = []
    var servers: [DeclaredServer] = []
    var images = ImagePolicy.any
    var networks: [Name] = []
    /// The external services of its scenario.
    var externals = ExternalNames.none

    func server(_ name: Name) -> DeclaredServer? { servers.first { $0.name == name } }

    /// The lab; complete only where no problem was reported.
    func spec(name: Name) -> LabSpec {
        let servers = servers.compactMap { server in server.spec.map { (server.name, $0) } }
        return LabSpec(
            name: name,
            volumes: volumes,
            servers: Dictionary(uniqueKeysWithValues: servers),
            images: images,
            networks: networks
        )
    }
}

/// Reads the `lab` of a file.
struct LabDecoder {
    private let problems: ProblemList
    private let images: (ImageReference) -> ImageManifest?
    private let externals: ExternalNames
    private var volumeNames: [Name] = []
    private var volumeOwners: [Name: Name] = [:]
    private var hostPorts: [String: String] = [:]
    private var networkNames: [Name] = []
    private var onNetwork: [Name: Int] = [:]
    private var userData: [(server: Name, network: ServerSpec.Network, parts: [Value])] = []

    /// The lab.
    ///
    /// - Parameters:
    ///   - externals: the external services of its scenario.
    ///   - images: what is known of an image, where anything is.
    static func decode(
        _ value: Value,
        externals: ExternalNames,
        _ images: @escaping (ImageReference) -> ImageManifest?
    ) -> DecodedLab? {
        var decoder = LabDecoder(problems: value.problems, externals: externals, images: images)
        let lab = decoder.decode(value)
        externals.refuse(in: value)
        return lab
    }

    private init(
        problems: ProblemList,
        externals: ExternalNames,
        images: @escaping (ImageReference) -> ImageManifest?
    ) {
        self.problems = problems
        self.externals = externals
        self.images = images
    }

    private mutating func decode(_ value: Value) -> DecodedLab? {
        guard let fields = Fields<LabFields>(value, "a map with 'servers'") else { return nil }
        var lab = DecodedLab()
        lab.externals = externals
        if let policy = fields[.images]?.word(ImagePolicy.self) { lab.images = policy }
        lab.volumes = fields[.volumes].flatMap { $0.named("volumes", volume) } ?? [:]
        volumeNames = Value.names(of: fields[.volumes])
        lab.volumeNames = volumeNames
        networkNames = networks(fields[.networks])
        lab.networks = networkNames
        guard let entries = fields[.servers]?.entries(of: "servers") else { return lab }
        if entries.isEmpty { fields[.servers]?.mismatch("at least one server") }
        for (entry, value) in entries {
            guard let name = value.key(entry) else { continue }
            lab.servers.append(server(name, value))
        }
        for (server, network, parts) in userData {
            parts.forEach { UserDataDecoder.checkReferences($0, from: server, network, lab) }
        }
        lab.refuseNamesOfMembers(fields)
        return lab
    }

    private func volume(_ value: Value) -> VolumeSpec? {
        guard let fields = Fields<VolumeFields>(value, "a map with 'size'") else { return nil }
        let size = fields[.size]?.size(atLeast: .mebibytes(8))
        let fileSystem = fields[.filesystem].map { $0.word(VolumeSpec.FileSystem.self) } ?? .ext4
        guard let size, let fileSystem else { return nil }
        return VolumeSpec(size: size, fileSystem: fileSystem)
    }

    // A network has no fields yet, and an empty map says so.
    private func networks(_ value: Value?) -> [Name] {
        guard let value else { return [] }
        for (entry, network) in value.entries(of: "networks") ?? [] {
            _ = network.key(entry)
            if case .map(let fields) = network.node.content, fields.isEmpty { continue }
            network.mismatch("{}")
        }
        return Value.names(of: value).sorted()
    }

    private mutating func server(_ name: Name, _ value: Value) -> DeclaredServer {
        guard let fields = Fields<ServerFields>(value, "a map with 'image'") else {
            return DeclaredServer(name: name, ports: [], mounts: [], spec: nil)
        }
        let ports = Value.names(of: fields[.ports])
        let volumes = fields[.volumes].map { mounts($0, of: name) } ?? [:]
        let image = fields[.image]?.image()
        let data = userData(fields, image)
        var edits = ServerEdits()
        edits.set(\.volumes, volumes)
        let published = fields[.ports].map { self.ports($0) }
        let tcpPorts = ports.filter { published?[$0]?.transport != .udp }
        edits.set(\.ports, published)
        edits.set(\.networks, fields[.networks].map { memberships($0) })
        edits.set(\.userData, data?.config)
        edits.set(\.userDataDocument, data?.document)
        let network = fields[.network]?.word(ServerSpec.Network.self)
        edits.set(\.network, network)
        if let data { userData.append((name, network ?? .open, data.texts)) }
        edits.set(\.memory, fields[.memory]?.size(atLeast: .mebibytes(32)))
        edits.set(\.processors, fields[.processors]?.whole(in: 1...64))
        edits.set(\.cpu, fields[.cpu]?.processorModel())
        edits.set(\.disk, fields[.disk]?.size(atLeast: .mebibytes(8)))
        edits.set(\.root, fields[.root]?.word(ServerSpec.Root.self))
        edits.set(\.ephemeral, fields[.ephemeral].map { $0.guestPaths("what may differ from the image") })
        edits.set(\.keepRoots, fields[.keepRoots]?.whole(in: 0...16))
        edits.set(\.maxAge, fields[.maxAge]?.longDuration())
        edits.readHealth(fields, ports: tcpPorts)
        edits.readReplacement(fields, ports: tcpPorts)
        edits.readFront(fields, ports: tcpPorts)
        edits.readLaunch(fields)
        edits.readFleet(fields, published ?? [:])
        edits.readHeal(fields)
        edits.readAutoscale(fields)
        // All is read by now, so that all problems are reported.
        var server = DeclaredServer(
            name: name,
            ports: ports,
            tcpPorts: tcpPorts,
            mounts: Array(volumes.values),
            spec: image.map(edits.spec)
        )
        if let spec = server.spec {
            fields[.hold]?.judgeHold(spec)
            fields[.autoscale]?.judgeAutoscale(spec)
            fields[.drain]?.judgeQuiet(spec, of: spec.drain, isDrain: true)
            fields[.afterAttach]?.judgeQuiet(spec, of: spec.afterAttach, isDrain: false)
            fields[.afterClone]?.judgeQuiet(spec, of: spec.afterClone, isDrain: false)
            fields[.launch]?.judgeLaunch(spec, image.flatMap(images))
        }
        server.ownMounts = data.map { PlacedOwnMount.all(in: $0, of: volumes) } ?? []
        if server.spec?.strategy == .warmFirst { server.ownMounts.forEach { $0.refuse() } }
        return server
    }
}

extension LabDecoder {
    private func userData(_ fields: Fields<ServerFields>, _ image: ImageReference?) -> UserDataDecoder.UserData? {
        let decoder = UserDataDecoder(image, image.flatMap(images))
        if let unread = decoder.review.unread { (fields[.userDataFile] ?? fields[.userData])?.warning(unread) }
        guard let file = fields[.userDataFile] else { return fields[.userData].flatMap { decoder.decode($0) } }
        if fields[.userData] != nil { file.problem("expected user-data here or in a file, found both") }
        return decoder.decode(file: file)
    }

    private mutating func mounts(_ value: Value, of server: Name) -> [Name: String] {
        var mounts: [Name: String] = [:]
        for (entry, value) in value.entries(of: "volume names and mount paths") ?? [] {
            let path = value.guestPath("where the volume is mounted")
            let key = value.placed(at: entry.position)
            guard let name = key.reference("volume", text: entry.key, among: volumeNames) else { continue }
            if let owner = volumeOwners[name], owner != server {
                key.problem("the volume '\(name)' already belongs to the server '\(owner)'; a volume has one writer")
            }
            volumeOwners[name] = volumeOwners[name] ?? server
            guard let path else { continue }
            if let other = mounts.first(where: { $0.value == path }) {
                value.problem("'\(path)' is already the mount path of the volume '\(other.key)'")
            }
            mounts[name] = path
        }
        return mounts
    }

    private mutating func memberships(_ value: Value) -> [Name] {
        var networks: [Name] = []
        for value in value.oneOrMore(of: "networks of the lab") {
            guard let name = value.reference("network", among: networkNames) else { continue }
            if networks.contains(name) { value.problem("the server is already on the network '\(name)'") }
            networks.append(name)
            onNetwork[name, default: 0] += 1
            if onNetwork[name] == NetworkID.mostServers + 1 {
                value.problem("the network '\(name)' has \(NetworkID.mostServers) servers already, and takes no more")
            }
        }
        if networks.count > NetworkID.mostOfServer {
            value.problem("expected at most \(NetworkID.mostOfServer) networks, found \(networks.count)")
        }
        return networks
    }

    private mutating func ports(_ value: Value) -> [Name: PortSpec] {
        var ports: [Name: PortSpec] = [:]
        for (entry, value) in value.entries(of: "port names and numbers") ?? [] {
            let name = value.key(entry)
            let port = port(value)
            if let name, let port { ports[name] = port }
        }
        return ports
    }

    private mutating func port(_ value: Value) -> PortSpec? {
        guard case .map = value.node.content else {
            return value.whole(in: 1...65_535).map { PortSpec(guest: UInt16($0)) }
        }
        guard let fields = Fields<PortFields>(value, "a port number, or a map with 'guest'") else { return nil }
        let guest = fields[.guest]?.whole(in: 1...65_535)
        let host = fields[.host]?.whole(in: 1...65_535).map { UInt16($0) }
        let transport = fields[.transport].map { $0.word(Transport.self) } ?? .tcp
        guard let transport else { return nil }
        if let host {
            let port = "\(host)\(transport.suffix)"
            if let other = hostPorts[port] {
                fields[.host]?.problem("the host's port \(port) is already taken by \(other)")
            }
            hostPorts[port] = hostPorts[port] ?? value.path
        }
        return guest.map { PortSpec(guest: UInt16($0), host: host, transport: transport) }
    }
}
