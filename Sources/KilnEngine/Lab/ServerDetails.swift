import KilnModel
import KilnStore

/// What a server is made from, what is its own, and where its generations and its neighbours differ.
///
/// What it is given is told by name: a value may be a secret.
public struct ServerDetails: Sendable, Hashable, Codable {
    /// What its machines get besides the image.
    public struct Configuration: Sendable, Hashable, Codable {
        /// What names it; also where an older Kiln made the machine.
        public let digest: ImageDigest
        /// Memory of a machine.
        public let memory: ByteCount
        /// Virtual processors.
        public let processors: Int
        /// The processors' instructions, where they are given.
        public let cpu: ProcessorModel?
        /// The root disk's size, where it is given.
        public let disk: ByteCount?
        /// The networks of its lab that it is on.
        public let networks: [Name]
        /// Which of these its image decides: the server leaves them out.
        public let fromImage: [String]
        /// What the guest sees of the network.
        public let network: ServerSpec.Network
        /// What becomes of what the guest writes to its root.
        public let root: ServerSpec.Root
        /// The top-level keys of its user-data.
        public let userDataKeys: [String]
        /// The paths of the files that its user-data writes.
        public let files: [String]

        enum CodingKeys: String, CodingKey {
            case digest, memory, processors, cpu, disk, networks, network, root, files
            case fromImage = "from_image"
            case userDataKeys = "user_data_keys"
        }
    }

    /// A generation that served, or one that was tried.
    public struct Past: Sendable, Hashable, Codable {
        /// Its number.
        public let generation: Generation
        /// Its image, as `NAME:VERSION`.
        public let image: String
        /// The image's digest.
        public let digest: ImageDigest
        /// How it ended; nothing while it is open.
        public let outcome: Outcome?
        /// What names its configuration; nothing where its record is gone.
        public let configuration: ImageDigest?
        /// In what it differs from the generation that it followed, such as `image` or `memory`; nothing where that can't be told.
        public let differs: [String]?
    }

    /// Another server of the lab that has the same image.
    public struct Sibling: Sendable, Hashable, Codable {
        /// Which.
        public let server: MemberID
        /// What names its configuration.
        public let configuration: ImageDigest
        /// In what its declaration differs; nothing in it means that it is the same.
        public let differs: [String]
    }

    /// What listings tell of it.
    public let status: ServerStatus
    /// How its lab file names its image.
    public let reference: ImageReference
    /// What its machines get.
    public let configuration: Configuration
    /// Its generations, the first one first.
    public let generations: [Past]
    /// The other servers of its lab with the same image.
    public let siblings: [Sibling]
}

extension LabEngine {
    /// What a server is made from, what is its own, and where its generations and its neighbours differ.
    ///
    /// - Throws: `KilnError` with code `server.missing`, `server.not-launched` or `state.missing`.
    public func details(_ id: MemberID) async throws -> ServerDetails {
        let status = try await status(id)
        let history = try existing(id).history()
        let record = try workspace(id).record(try machine(id, in: history))
        return ServerDetails(
            status: status,
            reference: (try? lab(id.lab))?.servers[id.server]?.image ?? record.spec.image,
            configuration: try ServerDetails.Configuration(of: record),
            generations: try generations(id, history),
            siblings: try siblings(of: record)
        )
    }

    private func generations(_ id: MemberID, _ history: ServerHistory) throws -> [ServerDetails.Past] {
        try history.operations.map(\.replacement).map { replacement in
            let intent = replacement.intent
            let record = try? workspace(id).record(id.machine(intent.to))
            let before = intent.from.flatMap { try? workspace(id).record(id.machine($0)) }
            return ServerDetails.Past(
                generation: intent.to,
                image: intent.image,
                digest: intent.digest,
                outcome: replacement.outcome,
                configuration: try record.map { try ServerConfiguration(of: $0.spec).digest },
                differs: record.flatMap { record in before.map { $0.differences(to: record) } }
            )
        }
    }

    // One of which nothing is known hides no other.
    private func siblings(of record: GenerationRecord) throws -> [ServerDetails.Sibling] {
        let id = record.machine.member
        return try members().filter { $0.lab == id.lab && $0.whole != id.whole }.compactMap { other in
            guard let found = try? self.record(other), found.image.digest == record.image.digest else { return nil }
            return ServerDetails.Sibling(
                server: other,
                configuration: try ServerConfiguration(of: found.spec).digest,
                differs: record.differences(to: found)
            )
        }
    }
}

extension ServerDetails.Configuration {
    init(of record: GenerationRecord) throws {
        let spec = record.spec
        let configuration = ServerConfiguration(of: spec)
        self.init(
            digest: try configuration.digest,
            memory: record.size.memory,
            processors: record.size.processors,
            cpu: record.size.cpu,
            disk: spec.disk,
            networks: spec.networks,
            fromImage: [
                spec.memory == nil ? "memory" : nil, spec.processors == nil ? "processors" : nil,
                spec.cpu == nil ? "cpu" : nil,
            ].compactMap(\.self),
            network: spec.network,
            root: spec.root,
            userDataKeys: spec.userDataKeys,
            files: configuration.files
        )
    }
}

extension GenerationRecord {
    /// In what another one differs, by the names of fields and volumes: values may be secrets.
    fileprivate func differences(to other: GenerationRecord) -> [String] {
        let changes = spec.changes(to: other.spec).map { $0.kind == .volume ? "volume \($0.name)" : $0.name }
        return (image.digest == other.image.digest ? [] : ["image"]) + changes
    }
}
