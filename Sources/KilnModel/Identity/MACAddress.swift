/// The hardware address of a machine's network card: in QEMU's range 52:54:00, or 52:54:0a for one on a network of its lab.
public struct MACAddress: Sendable, Hashable, Codable, CustomStringConvertible {
    /// Six lower-case hexadecimal pairs separated by colons.
    public let description: String

    /// The address of a machine, always the same for the same machine.
    ///
    /// Each machine sits behind a user-mode network of its own, so a collision between two machines does no harm.
    public init(of machine: MachineID) {
        let hash = StableHash.fnv1a(machine.description)
        self.init([0x52, 0x54, 0] + (0..<3).map { UInt8(truncatingIfNeeded: hash >> (8 * UInt64($0))) })
    }

    /// The address of the card on a network of the lab, which stays the server's when its machine is replaced.
    ///
    /// It spells the address: 52:54:0a, and 10 is 0a. So it is unique where that is, and never that of a machine.
    public init(of address: NetworkAddress) { self.init([0x52, 0x54] + address.bytes) }

    private init(_ bytes: [UInt8]) {
        description = bytes.map { byte in
            let pair = String(byte, radix: 16)
            return pair.count == 1 ? "0" + pair : pair
        }.joined(separator: ":")
    }

    /// The six bytes in the order in which they travel.
    public var bytes: [UInt8] { description.split(separator: ":").compactMap { UInt8($0, radix: 16) } }
}

/// A hash that is the same in every process, unlike Swift's `Hasher`.
public enum StableHash {
    /// 64-bit FNV-1a of the UTF-8 text; not for secrets.
    ///
    /// http://www.isthe.com/chongo/tech/comp/fnv/
    public static func fnv1a(_ text: String) -> UInt64 {
        text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}
