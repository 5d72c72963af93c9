/// The published ports of a server that belong to its front, with who serves them.
public struct FrontPlan: Sendable, Hashable, Codable {
    /// A published port.
    public struct Port: Sendable, Hashable, Codable {
        /// The port's name.
        public let name: Name
        /// The port on 127.0.0.1.
        public let host: UInt16
        /// Whether its requests are HTTP's, and can be held one by one.
        public let isHTTP: Bool

        /// A port from its parts.
        public init(name: Name, host: UInt16, isHTTP: Bool) {
            self.name = name
            self.host = host
            self.isHTTP = isHTTP
        }
    }

    /// How a member takes part.
    public enum Standing: String, Sendable, Hashable, Codable {
        /// It gets requests.
        case serving
        /// It gets nothing new, and goes on with what it has.
        case draining
        /// It gets nothing.
        case out
    }

    /// A member's place behind all ports.
    public struct Slot: Sendable, Hashable, Codable {
        /// The member.
        public let ordinal: Int
        /// The generation that stands there; nothing where none ever did.
        public var generation: Generation?
        /// The ports of its machine on 127.0.0.1, by the names of the published ones.
        public var ports: [Name: UInt16]
        /// How it takes part.
        public var standing: Standing

        /// A slot from its parts.
        public init(
            ordinal: Int,
            generation: Generation? = nil,
            ports: [Name: UInt16] = [:],
            standing: Standing = .out
        ) {
            self.ordinal = ordinal
            self.generation = generation
            self.ports = ports
            self.standing = standing
        }
    }

    /// How clients are kept.
    public var spec: FrontSpec
    /// All ports, by name.
    public var ports: [Port]
    /// Who serves them, by ordinal.
    public var slots: [Slot]

    /// A plan from its parts.
    public init(spec: FrontSpec, ports: [Port], slots: [Slot] = [Slot(ordinal: 0)]) {
        self.spec = spec
        self.ports = ports
        self.slots = slots
    }
}

extension FrontPlan {
    /// How many slots there are where that member has one: the front begins anew where it gets more, so they grow by many.
    public static func room(for ordinal: Int) -> Int { (ordinal / 8 + 1) * 8 }

    /// A member's slot; one that nobody ever stood in where there is none.
    public subscript(ordinal: Int) -> Slot {
        get { slots.first { $0.ordinal == ordinal } ?? Slot(ordinal: ordinal) }
        set {
            slots.removeAll { $0.ordinal == ordinal }
            slots.append(newValue)
            slots.sort { $0.ordinal < $1.ordinal }
        }
    }

    /// Adds the slots that another plan has besides.
    public mutating func makeRoom(for other: FrontPlan) {
        for slot in other.slots where !slots.contains(where: { $0.ordinal == slot.ordinal }) {
            self[slot.ordinal] = slot
        }
    }

    /// Lets a machine take part otherwise; one that stands in no slot is left alone.
    public mutating func stand(_ standing: Standing, _ machine: MachineID) {
        guard self[machine.member.ordinal].generation == machine.generation else { return }
        self[machine.member.ordinal].standing = standing
    }

    /// Publishes what a member wants to have published; what only others still serve stays, until they follow.
    public mutating func publish(as wanted: FrontPlan, by ordinal: Int) {
        let others = slots.filter { $0.ordinal != ordinal && $0.standing != .out }
        let kept = ports.filter { port in
            !wanted.ports.contains { $0.name == port.name } && others.contains { $0.ports[port.name] != nil }
        }
        ports = (wanted.ports + kept).sorted { $0.name < $1.name }
        spec = wanted.spec
    }
}

/// How the clients of a server are kept while its machines change.
public struct FrontSpec: Sendable, Hashable, Codable {
    /// How long a request waits while nobody serves; never scaled by the host's speed.
    public var hold: Duration
    /// How many connections a machine gets at once by each of its ports, 1 to 1,000; the others wait, at most `hold` once more.
    ///
    /// Without it one where they speak HTTP, since QEMU's user network accepts one after the other, and 1,000 elsewhere: a session
    /// may be as long as its client likes.
    public var connections: Int?
    /// How long a machine that is taken out may go on with what it does; what is left is cut, and counted.
    public var drainTimeout: Duration

    /// The most connections that a port ever has.
    public static let mostConnections = 1_000

    /// How many connections a machine gets at once by a port.
    public func connections(to port: FrontPlan.Port) -> Int {
        connections ?? (port.isHTTP ? 1 : FrontSpec.mostConnections)
    }

    /// A spec from its parts.
    public init(hold: Duration = .seconds(10), connections: Int? = nil, drainTimeout: Duration = .seconds(10)) {
        self.hold = hold
        self.connections = connections
        self.drainTimeout = drainTimeout
    }
}

extension ServerSpec {
    /// How clients are kept; nothing where machines have the published ports themselves.
    public var front: FrontSpec? {
        guard let hold else { return nil }
        let usual = FrontSpec()
        return FrontSpec(
            hold: hold,
            connections: connections,
            drainTimeout: drainTimeout ?? usual.drainTimeout
        )
    }

    /// The ports whose clients are kept, and whether those speak HTTP as far as a check shows; datagrams are not held.
    public var heldPorts: [Name: Bool] {
        guard front != nil else { return [:] }
        let checks = (ready + warmReady + verify).flatMap(\.probe.leaves)
        let spoken = checks.compactMap { probe in
            if case .http(let http) = probe, http.tls == nil { http.port } else { nil }
        }
        return ports.filter { $0.value.transport == .tcp }.reduce(into: [:]) { $0[$1.key] = spoken.contains($1.key) }
    }
}
