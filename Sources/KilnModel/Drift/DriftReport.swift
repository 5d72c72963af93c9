/// What differs on the root of a machine from its image, by path.
public struct DriftReport: Sendable, Hashable, Codable {
    /// What can differ at a path that both have.
    public enum Aspect: String, Sendable, Hashable, Codable, CaseIterable {
        /// Another kind of thing.
        case type
        /// The bytes of a file.
        case content
        /// How many bytes a file has.
        case size
        /// Where a link points.
        case target
        /// Which device a node stands for.
        case device
        /// The permission bits.
        case mode
        /// User or group.
        case owner
        /// Extended attributes or flags.
        case attributes
    }

    /// A path that both have and that differs.
    public struct Modification: Sendable, Hashable, Codable {
        /// The path, escaped.
        public let path: RootPath
        /// In what it differs.
        public let what: [Aspect]

        /// A modification from its parts.
        public init(path: RootPath, what: [Aspect]) {
            self.path = path
            self.what = what
        }
    }

    /// A Debian package that differs.
    public struct PackageChange: Sendable, Hashable, Codable {
        /// Its name.
        public let name: String
        /// Its version in the image; nothing where it was added.
        public let from: String?
        /// Its version now; nothing where it was removed.
        public let to: String?

        /// A change from its parts.
        public init(name: String, from: String?, to: String?) {
            self.name = name
            self.from = from
            self.to = to
        }
    }

    /// In what state the root was when it was looked at.
    public enum Consistency: String, Sendable, Hashable, Codable {
        /// The machine was off.
        case off
        /// The guest had written everything and held back further writes.
        case frozen
        /// The guest could not be asked: what it had not written yet is missing.
        case writeback
    }

    /// The server.
    public let server: MemberID
    /// The generation that was looked at.
    public let generation: Generation
    /// The image that it was compared with.
    public let image: ImageDigest
    /// Whether drift can be seen at all; if not, the lists are empty and mean nothing.
    public let observable: Bool
    /// Why it can't be seen, or nothing.
    public let reason: String?
    /// In what state the root was.
    public let consistency: Consistency
    /// What is there and is not in the image, by path.
    public let added: [RootPath]
    /// What differs, by path.
    public let modified: [Modification]
    /// What is in the image and is gone, by path.
    public let deleted: [RootPath]
    /// The Debian packages that differ, by name.
    public let packages: [PackageChange]
    /// What lies on the root below a mount point and is not in the image, by path: a volume hides it.
    public let hidden: [RootPath]
    /// Bytes that the root's own layer takes up: whatever was written since the machine was made, ephemeral or not.
    public let bytesChanged: ByteCount

    /// Whether anything differs.
    public var isDrifted: Bool { count + packages.count > 0 }

    /// How many paths differ.
    public var count: Int { added.count + modified.count + deleted.count + hidden.count }

    enum CodingKeys: String, CodingKey {
        case server, generation, image, observable, reason, consistency, added, modified, deleted, packages, hidden
        case bytesChanged = "bytes_changed"
    }

    /// A report on a root that was looked at.
    public init(
        machine: MachineID,
        image: ImageDigest,
        consistency: Consistency,
        difference: RootDifference,
        bytesChanged: ByteCount
    ) {
        self.init(machine, image, nil, consistency, difference, bytesChanged)
    }

    /// A report on a root that can't be compared, and why.
    public init(machine: MachineID, image: ImageDigest, unobservable reason: String) {
        self.init(machine, image, reason, .off, RootDifference(), .mebibytes(0))
    }

    private init(
        _ machine: MachineID,
        _ image: ImageDigest,
        _ reason: String?,
        _ consistency: Consistency,
        _ difference: RootDifference,
        _ bytesChanged: ByteCount
    ) {
        server = machine.member
        generation = machine.generation
        self.image = image
        observable = reason == nil
        self.reason = reason
        self.consistency = consistency
        added = difference.added
        modified = difference.modified
        deleted = difference.deleted
        packages = difference.packages
        hidden = difference.hidden
        self.bytesChanged = bytesChanged
    }

    /// Decodes what this or an earlier version wrote, which did not look below mount points.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        server = try fields.decode(MemberID.self, forKey: .server)
        generation = try fields.decode(Generation.self, forKey: .generation)
        image = try fields.decode(ImageDigest.self, forKey: .image)
        observable = try fields.decode(Bool.self, forKey: .observable)
        reason = try fields.decodeIfPresent(String.self, forKey: .reason)
        consistency = try fields.decode(Consistency.self, forKey: .consistency)
        added = try fields.decode([RootPath].self, forKey: .added)
        modified = try fields.decode([Modification].self, forKey: .modified)
        deleted = try fields.decode([RootPath].self, forKey: .deleted)
        packages = try fields.decode([PackageChange].self, forKey: .packages)
        hidden = try fields.decodeIfPresent([RootPath].self, forKey: .hidden) ?? []
        bytesChanged = try fields.decode(ByteCount.self, forKey: .bytesChanged)
    }
}
