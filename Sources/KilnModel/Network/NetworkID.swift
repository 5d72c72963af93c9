/// A network of a lab, by which its servers reach each other.
public struct NetworkID: Sendable, Hashable, Comparable, Codable, CustomStringConvertible {
    /// The lab that the network belongs to.
    public let lab: Name
    /// The network's name in the lab.
    public let network: Name

    /// How many servers of a lab may be on one network.
    public static let mostServers = 200
    /// How many networks a server may be on: each is a card in a place of its own.
    public static let mostOfServer = 8

    /// A network by lab and name.
    public init(lab: Name, network: Name) {
        self.lab = lab
        self.network = network
    }

    /// `lab/network`.
    public var description: String { "\(lab)/\(network)" }

    /// Order by lab, then by name.
    public static func < (left: NetworkID, right: NetworkID) -> Bool {
        (left.lab, left.network) < (right.lab, right.network)
    }
}
