/// Where a machine is plugged into the switch of a network.
public struct SwitchPort: Sendable, Hashable, Codable {
    /// The machine.
    public let machine: MachineID
    /// Its card's hardware address, the only one that it may send from.
    public let mac: MACAddress
    /// Its server's address on the network.
    public let address: NetworkAddress
    /// The unix socket that the switch binds.
    public let socket: String
    /// The unix socket that the machine binds.
    public let card: String
    /// Whether frames pass.
    public var isUp: Bool

    /// A port from its parts.
    public init(
        machine: MachineID,
        mac: MACAddress,
        address: NetworkAddress,
        socket: String,
        card: String,
        isUp: Bool
    ) {
        self.machine = machine
        self.mac = mac
        self.address = address
        self.socket = socket
        self.card = card
        self.isUp = isUp
    }

    /// The server that the machine embodies.
    public var server: Name { machine.member.server }
}

/// What is wrong, on purpose, with the link of a server to a network; it stays with the server when its machine is replaced.
public struct LinkFault: Sendable, Hashable, Codable {
    /// Whether nothing passes at all.
    public var isCut: Bool
    /// By how long each frame is late, in milliseconds, both ways; 0 to 60,000.
    public var delay: Int
    /// How many of a thousand frames are lost, both ways.
    public var loss: Int
    /// Which of them are: the same, counted from the beginning of the fault, for the same seed; nothing leaves that to the switch.
    public var seed: UInt32?

    /// A fault from its parts; what is out of range is brought into it.
    public init(isCut: Bool = false, delay: Int = 0, loss: Int = 0, seed: UInt32? = nil) {
        self.isCut = isCut
        self.delay = min(max(delay, 0), 60_000)
        self.loss = min(max(loss, 0), 1000)
        self.seed = seed
    }
}
