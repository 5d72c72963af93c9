/// One of the replicas of a server, which outlives every machine that embodies it: it has its own volumes, journal and generations.
///
/// A server that declares no replicas is its only member, with ordinal 0; what belongs to that one is called as the server is.
public struct MemberID: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The lab that the server belongs to.
    public let lab: Name
    /// The server's name in the lab.
    public let server: Name
    /// Which of the server's members, from 0 up.
    public let ordinal: Int

    /// The most members that a server has.
    public static let most = 16

    /// A member by lab, server and ordinal.
    public init(lab: Name, server: Name, ordinal: Int = 0) {
        self.lab = lab
        self.server = server
        self.ordinal = ordinal
    }

    /// The server that it is a member of.
    public var whole: ServerID { ServerID(lab: lab, server: server) }

    /// `lab/server`, and `lab/server.1` for others than the first.
    public var description: String { "\(lab)/\(title)" }

    /// `server`, and `server.1` for others than the first.
    public var title: String { ordinal == 0 ? server.text : "\(server).\(ordinal)" }

    /// A name of its own where there is room for a name only, such as in reports: `web`, and `web-1` for others than the first.
    public var ownName: Name { (try? own(server)) ?? server }

    /// Order by lab, by name, and then by ordinal.
    public static func < (left: MemberID, right: MemberID) -> Bool {
        (left.lab, left.server, left.ordinal) < (right.lab, right.server, right.ordinal)
    }

    /// The machine that is the given generation of this member.
    public func machine(_ generation: Generation) -> MachineID { MachineID(member: self, generation: generation) }

    /// What belongs to each member for itself has this name: that of the first as it is declared, others with their ordinal behind.
    ///
    /// - Throws: `name.invalid` where that is too long.
    public func own(_ name: Name) throws -> Name { ordinal == 0 ? name : try Name("\(name)-\(ordinal)") }
}

// That of a first member is as it was before servers had several.
extension MemberID: Codable {
    private enum CodingKeys: String, CodingKey {
        case lab, server, ordinal
    }

    /// Decodes a member; one without an ordinal is the first.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        let ordinal = try fields.decodeIfPresent(Int.self, forKey: .ordinal) ?? 0
        guard (0..<MemberID.most).contains(ordinal) else {
            throw DecodingError.dataCorruptedError(
                forKey: .ordinal,
                in: fields,
                debugDescription: "not the ordinal of a member: expected 0 to \(MemberID.most - 1), found \(ordinal)"
            )
        }
        self.init(
            lab: try fields.decode(Name.self, forKey: .lab),
            server: try fields.decode(Name.self, forKey: .server),
            ordinal: ordinal
        )
    }

    /// Encodes a member; the ordinal of the first is left out.
    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(lab, forKey: .lab)
        try fields.encode(server, forKey: .server)
        if ordinal > 0 { try fields.encode(ordinal, forKey: .ordinal) }
    }
}
