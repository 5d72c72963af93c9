/// The identity of a volume: `v` and 16 hexadecimal digits, random at creation.
///
/// The guest sees it as the serial number of the disk, for which virtio-blk has 20 bytes; so a mount finds its volume
/// whatever the order of the disks.
public struct VolumeID: Sendable, Hashable, Codable, CustomStringConvertible {
    /// The id as the guest sees it.
    public let description: String

    /// A new, random id.
    public init() {
        let digits = String(UInt64.random(in: .min ... .max), radix: 16)
        description = "v" + String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// Reads an id back.
    public init?(_ text: String) {
        let hexadecimal = Set("0123456789abcdef".utf8)
        guard text.utf8.count == 17, text.hasPrefix("v"), text.utf8.dropFirst().allSatisfy({ hexadecimal.contains($0) })
        else { return nil }
        description = text
    }

    /// Decodes the text.
    public init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let id = VolumeID(text) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "not a volume id")
            )
        }
        self = id
    }

    /// Encodes the text.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    /// The path under which a guest with udev finds the volume.
    public var guestDevice: String { "/dev/disk/by-id/virtio-\(description)" }
}
