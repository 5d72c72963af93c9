/// All that a switch is told: who is plugged in where, and what is wrong on purpose.
public struct SwitchTable: Sendable, Hashable, Codable {
    /// The ports in the order in which they were plugged in.
    public private(set) var ports: [SwitchPort] = []
    /// What is wrong with the links of servers.
    public private(set) var faults: [Name: LinkFault] = [:]
    /// The sets of servers between which nothing passes; a server in none of them reaches all.
    public private(set) var sets: [[Name]] = []

    /// A table without ports and faults.
    public init() {}

    /// One change of it; each can be repeated.
    public enum Change: Sendable, Hashable, Codable {
        /// Plugs a machine in, or changes its port. An address is one machine's at a time: where the port is up, every other one
        /// with its hardware address goes down.
        case plug(SwitchPort)
        /// Takes a machine out; one that is not in is no error.
        case unplug(MachineID)
        /// Gives the link of a server a fault in place of the one that it has, or none.
        case fault(Name, LinkFault?)
        /// Splits the network into these sets in place of those before; none makes it whole.
        case split([[Name]])
    }

    /// Makes a change.
    public mutating func apply(_ change: Change) {
        switch change {
        case .plug(let port):
            if port.isUp {
                for index in ports.indices where ports[index].mac == port.mac { ports[index].isUp = false }
            }
            if let index = ports.firstIndex(where: { $0.machine == port.machine }) {
                ports[index] = port
            } else {
                ports.append(port)
            }
        case .unplug(let machine): ports.removeAll { $0.machine == machine }
        case .fault(let server, let fault): faults[server] = fault
        case .split(let sets): self.sets = sets
        }
    }

    /// Whether a split lies between two servers.
    public func separates(_ one: Name, _ other: Name) -> Bool {
        guard let first = sets.firstIndex(where: { $0.contains(one) }),
            let second = sets.firstIndex(where: { $0.contains(other) })
        else { return false }
        return first != second
    }
}
