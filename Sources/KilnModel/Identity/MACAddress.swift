/// The hardware address of a machine's network card, in QEMU's range 52:54:00.
public struct MACAddress: Sendable, Hashable, Codable, CustomStringConvertible {
    /// Six lower-case hexadecimal pairs separated by colons.
    public let description: String

    /// The address of a machine, always the same for the same machine.
    ///
    /// Each machine sits behind a user-mode network of its own, so a collision between two machines does no harm.
    public init(of machine: MachineID) {
        let hash = StableHash.fnv1a(machine.description)
        let pairs = (0..<3).map { index -> String in
            let pair = String((hash >> (8 * UInt64(index))) & 0xff, radix: 16)
            return pair.count == 1 ? "0" + pair : pair
        }
        description = "52:54:00:" + pairs.joined(separator: ":")
    }
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
