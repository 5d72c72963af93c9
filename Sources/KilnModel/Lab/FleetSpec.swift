/// How many members a server has, and how those come and go.
public struct FleetSpec: Sendable, Hashable, Codable {
    /// From where a new member gets its volumes, once another one serves.
    public enum VolumeSource: Sendable, Hashable {
        /// A clone of what a member has now; nothing means the serving one with the lowest ordinal.
        case clone(ordinal: Int?)
        /// What that member had at a snapshot.
        case snapshot(Name)
        /// Nothing but the file system that the host makes.
        case empty
    }

    /// How many members the server has, 1 to ``MemberID/most``.
    public var replicas: Int
    /// From where new ones get their volumes.
    public var volumeFrom: VolumeSource
    /// How all of them get another image or configuration.
    public var rollout: RolloutSpec

    /// A fleet from its parts.
    public init(
        replicas: Int = 1,
        volumeFrom: VolumeSource = .clone(ordinal: nil),
        rollout: RolloutSpec = RolloutSpec()
    ) {
        self.replicas = replicas
        self.volumeFrom = volumeFrom
        self.rollout = rollout
    }

    /// What a member's own declaration has: that it is one of several, but not of how many.
    static let ofMember = FleetSpec()
}

extension FleetSpec.VolumeSource: Codable {
    /// Decodes what ``encode(to:)`` writes.
    public init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let source = Self(text) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "not a source of volumes: '\(text)'")
            )
        }
        self = source
    }

    /// Reads `clone`, `clone 1`, `snapshot NAME` or `empty`; nothing for anything else.
    public init?(_ text: String) {
        let words = text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        switch (words.count, words[0]) {
        case (1, "empty"): self = .empty
        case (1, "clone"): self = .clone(ordinal: nil)
        case (2, "clone"):
            guard let ordinal = Int(words[1]), (0..<MemberID.most).contains(ordinal) else { return nil }
            self = .clone(ordinal: ordinal)
        case (2, "snapshot"):
            guard let name = try? Name(words[1]) else { return nil }
            self = .snapshot(name)
        default: return nil
        }
    }

    /// Encodes it as a word or two: `clone`, `clone 1`, `snapshot NAME`, `empty`.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }

    /// The same for people.
    public var text: String {
        switch self {
        case .clone(nil): "clone"
        case .clone(let ordinal?): "clone \(ordinal)"
        case .snapshot(let name): "snapshot \(name)"
        case .empty: "empty"
        }
    }
}

extension ServerSpec {
    /// How many members it has.
    public var replicas: Int { fleet?.replicas ?? 1 }

    /// How long the requests of a server with members wait where its declaration does not say.
    public static let usualHold = FrontSpec().hold

    /// The declaration of one member: with volumes of its own, and without what concerns all members together, or no machine.
    ///
    /// - Throws: `name.invalid` where the name of one of its volumes would be too long.
    public func ofMember(_ id: MemberID) throws -> ServerSpec {
        var own = self
        // They are about how machines are looked after, and how many there are, and no part of one.
        own.heal = nil
        own.autoscale = nil
        guard fleet != nil else { return own }
        own.fleet = .ofMember
        own.volumes = try volumes.reduce(into: [:]) { $0[try id.own($1.key)] = $1.value }
        // Without a front one published port would have several owners.
        if ports.values.contains(where: { $0.transport == .tcp }) { own.hold = hold ?? ServerSpec.usualHold }
        return own
    }
}
