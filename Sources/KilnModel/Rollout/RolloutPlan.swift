/// What a machine of a member is made from.
public struct RolloutVersion: Sendable, Hashable, Codable {
    /// The digest of its image.
    public let image: ImageDigest
    /// The digest of its configuration; nothing for a generation that an older version recorded.
    public let configuration: ImageDigest?

    /// A version from its parts.
    public init(image: ImageDigest, configuration: ImageDigest?) {
        self.image = image
        self.configuration = configuration
    }
}

/// What a rollout is to do, written before it does anything.
public struct RolloutPlan: Sendable, Hashable, Codable {
    /// A member that takes part, as it was before.
    public struct Member: Sendable, Hashable, Codable {
        /// Which one.
        public let ordinal: Int
        /// The generation that served.
        public let generation: Generation
        /// What that is made from: the way back.
        public let stable: RolloutVersion

        /// A member from its parts.
        public init(ordinal: Int, generation: Generation, stable: RolloutVersion) {
            self.ordinal = ordinal
            self.generation = generation
            self.stable = stable
        }
    }

    /// The number of the rollout in the server's life, from 1.
    public let id: Int
    /// How it is done.
    public let spec: RolloutSpec
    /// What the members are to be made from.
    public let target: RolloutVersion
    /// Who takes part, in order: the canaries are the first ones.
    public let members: [Member]

    /// A plan from its parts.
    public init(id: Int, spec: RolloutSpec, target: RolloutVersion, members: [Member]) {
        self.id = id
        self.spec = spec
        self.target = target
        self.members = members
    }

    /// The plan for a server as it is now: the highest ordinal first.
    ///
    /// - Parameter replacesAll: whether members that are made from the target already get a new machine, too.
    /// - Throws: an error that names the members whose replacement is halted.
    public init(
        id: Int,
        spec: RolloutSpec,
        target: RolloutVersion,
        of server: ServerID,
        as observed: RolloutObservation,
        replacesAll: Bool = false
    ) throws {
        let halted = observed.members.filter { $0.value.standing == .halted }.keys.sorted()
        guard halted.isEmpty else { throw RolloutPlan.halted(halted, of: server) }
        let taking = observed.members.filter { ordinal, member in
            ordinal >= spec.partition && (replacesAll || member.version != target)
        }
        let members = taking.sorted { $0.key > $1.key }.map { ordinal, member in
            Member(ordinal: ordinal, generation: member.generation, stable: member.version)
        }
        self.init(id: id, spec: spec, target: target, members: members)
    }

    private static func halted(_ ordinals: [Int], of server: ServerID) -> KilnError {
        let names = ordinals.map { "\(server).\($0)" }.joined(separator: ", ")
        return KilnError(
            .replaceHalted,
            "\(server): expected no halted member before a rollout, found \(names)",
            hint: "'kiln recover \(server).\(ordinals[0])', and so for each of them",
            exit: .halted
        )
    }

    /// Who takes part, in order.
    public var ordinals: [Int] { members.map(\.ordinal) }
    /// Who comes first and is looked at before the others follow.
    public var canaries: [Int] { Array(ordinals.prefix(max(0, spec.canaries))) }

    /// A member that takes part.
    public func member(_ ordinal: Int) -> Member? { members.first { $0.ordinal == ordinal } }
}
