import KilnModel

/// What a switch looks at in a frame.
struct EthernetFrame {
    /// The hardware address that it is for.
    let destination: UInt64
    /// The hardware address that it says it comes from.
    let source: UInt64
    /// The IPv4 address that its sender says it has, where it says so.
    let claim: UInt32?

    /// A header; what QEMU sends is not padded to the 60 bytes of a cable.
    private static let shortest = 14
    /// A header and 1,500 bytes.
    static let longest = 1514
    /// The types of frames with a tag, for a VLAN or for a provider's: behind one, a guest's kernel may find another header.
    private static let tags: Set<UInt64> = [0x8100, 0x88a8, 0x9100]

    /// Looks at a frame; nothing for what is too short or too long for one, has a tag, or comes from a group of machines.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard (Self.shortest...Self.longest).contains(bytes.count) else { return nil }
        destination = Self.number(bytes, 0, 6)
        source = Self.number(bytes, 6, 6)
        guard source & Self.group == 0, source != 0, !Self.tags.contains(Self.number(bytes, 12, 2)) else { return nil }
        claim = Self.claim(bytes)
    }

    /// Whether it is for several.
    var isForMany: Bool { destination & Self.group != 0 }

    // The lowest bit of the first byte.
    private static let group: UInt64 = 1 << 40

    // RFC 826 and RFC 791: where a packet has its sender's address. 0.0.0.0 is one that is still being looked for.
    private static func claim(_ bytes: UnsafeRawBufferPointer) -> UInt32? {
        let address: UInt32
        switch number(bytes, 12, 2) {
        case 0x0806 where bytes.count >= 42: address = UInt32(number(bytes, 28, 4))
        case 0x0800 where bytes.count >= 34: address = UInt32(number(bytes, 26, 4))
        default: return nil
        }
        return address == 0 ? nil : address
    }

    private static func number(_ bytes: UnsafeRawBufferPointer, _ start: Int, _ count: Int) -> UInt64 {
        (start..<start + count).reduce(0) { $0 << 8 | UInt64(bytes[$1]) }
    }
}
