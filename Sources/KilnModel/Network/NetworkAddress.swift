/// The IPv4 address of a server on a network of its lab, 10.x.y.z; the first three numbers are the network's.
public struct NetworkAddress: Sendable, Hashable, Comparable, Codable, CustomStringConvertible {
    /// The address as a number, the first byte being the highest.
    public let number: UInt32

    /// How many bits of it are the network's.
    public static let prefix = 24

    /// The address with these numbers after the ten.
    public init(_ second: UInt8, _ third: UInt8, host: UInt8) {
        number = 10 << 24 | UInt32(second) << 16 | UInt32(third) << 8 | UInt32(host)
    }

    /// Reads four numbers with points between them, the first being 10; nothing for anything else.
    public init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let bytes = parts.compactMap { UInt8($0) }
        guard parts.count == 4, bytes.count == 4, bytes[0] == 10 else { return nil }
        self.init(bytes[1], bytes[2], host: bytes[3])
        guard description == text else { return nil }
    }

    /// The four bytes in the order in which they travel.
    public var bytes: [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * UInt32($0))) } }

    /// The address of another host on the same network.
    public func with(host: UInt8) -> NetworkAddress {
        NetworkAddress(bytes[1], bytes[2], host: host)
    }

    /// Four numbers with points between them.
    public var description: String { bytes.map(String.init).joined(separator: ".") }

    /// Numerical order.
    public static func < (left: NetworkAddress, right: NetworkAddress) -> Bool { left.number < right.number }

    /// Decodes the text, refusing what is no such address.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let address = NetworkAddress(text) else {
            throw DecodingError.dataCorruptedError(
                in: container,
                debugDescription: "\(Name.quoted(text)) is no address 10.x.y.z"
            )
        }
        self = address
    }

    /// Encodes the text.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
