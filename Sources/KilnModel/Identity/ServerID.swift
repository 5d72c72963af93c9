/// A server of a lab, with all its members.
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

    /// One of its members.
    public func member(_ ordinal: Int) -> MemberID { MemberID(lab: lab, server: server, ordinal: ordinal) }
}
