/// A server, which outlives every machine that embodies it.
public struct ServerID: Sendable, Hashable, Comparable, Codable, CustomStringConvertible {
    /// The lab that the server belongs to.
    public let lab: Name
    /// The server's name in the lab.
    public let server: Name

    /// A server by lab and name.
    public init(lab: Name, server: Name) {
        self.lab = lab
        self.server = server
    }

    /// `lab/server`.
    public var description: String { "\(lab)/\(server)" }

    /// Order by lab, then by name.
    public static func < (left: ServerID, right: ServerID) -> Bool {
        (left.lab, left.server) < (right.lab, right.server)
    }

    /// The machine that is the given generation of this server.
    public func machine(_ generation: Generation) -> MachineID { MachineID(server: self, generation: generation) }
}

/// One machine, a generation of a server; never changed, only replaced.
public struct MachineID: Sendable, Hashable, Codable, CustomStringConvertible {
    /// The server that the machine embodies.
    public let server: ServerID
    /// Which generation of it.
    public let generation: Generation

    /// A machine by server and generation.
    public init(server: ServerID, generation: Generation) {
        self.server = server
        self.generation = generation
    }

    /// `lab/server#generation`.
    public var description: String { "\(server)#\(generation)" }

    /// The name of the libvirt domain.
    ///
    /// The separator `.` can't occur in a ``Name``, so two machines never share a domain name.
    public var domainName: String { "kiln.\(server.lab).\(server.server).\(generation)" }

    /// The machine whose domain has that name; nothing where no machine's has.
    public init?(domainName: String) {
        let parts = domainName.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 4, let lab = try? Name(parts[1]), let server = try? Name(parts[2]),
            let number = Int(parts[3]), number > 0
        else { return nil }
        self.init(server: ServerID(lab: lab, server: server), generation: Generation(number))
        // "007" is no generation.
        guard self.domainName == domainName else { return nil }
    }
}
