/// One machine, a generation of a member of a server; never changed, only replaced.
public struct MachineID: Sendable, Hashable, Codable, CustomStringConvertible {
    /// The member that the machine embodies.
    public let member: MemberID
    /// Which generation of it.
    public let generation: Generation

    /// A machine by member and generation.
    public init(member: MemberID, generation: Generation) {
        self.member = member
        self.generation = generation
    }

    // As it was called before servers had several members.
    private enum CodingKeys: String, CodingKey {
        case member = "server"
        case generation
    }

    /// `lab/server#generation`, or `lab/server.1#generation`.
    public var description: String { "\(member)#\(generation)" }

    /// The name of the libvirt domain.
    ///
    /// The separator `.` can't occur in a ``Name``, so two machines never share a domain name.
    public var domainName: String { "kiln.\(member.lab).\(member.title).\(generation)" }

    /// The machine whose domain has that name; nothing where no machine's has.
    public init?(domainName: String) {
        let parts = domainName.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard (4...5).contains(parts.count), let lab = try? Name(parts[1]), let server = try? Name(parts[2]),
            let number = parts.last.flatMap({ Int($0) }), number > 0
        else { return nil }
        let ordinal = parts.count == 5 ? Int(parts[3]) ?? -1 : 0
        guard (0..<MemberID.most).contains(ordinal) else { return nil }
        self.init(
            member: MemberID(lab: lab, server: server, ordinal: ordinal),
            generation: Generation(number)
        )
        // "007" is no generation, and ".0" no member.
        guard self.domainName == domainName else { return nil }
    }
}
