/// What a file is that is no qcow2 file, told by its first bytes, so that a refusal can name it and the next step.
///
/// It serves the text of an error only: nothing is accepted because of it.
public struct ForeignFormat: Sendable {
    /// With its article, as in "it is …".
    public let name: String
    /// What to do with the file, as a hint.
    public let hint: String

    /// Whether it is a disk as it stands, byte by byte.
    public let isRaw: Bool

    private let marks: [(offset: Int, bytes: [UInt8])]

    /// The format of a file; nothing where no known mark is in its place.
    public static func of(_ file: HeaderBytes) -> ForeignFormat? {
        known.first { format in format.marks.contains { file.bytes.dropFirst($0.offset).starts(with: $0.bytes) } }
    }

    // A raw disk comes last: an ISO file that boots from a stick has the mark of a boot sector too.
    private static let known = [
        packed("gzip", "gzip -dk FILE", [0x1f, 0x8b]),
        packed("xz", "xz -dk FILE", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]),
        packed("zstd", "zstd -d FILE", [0x28, 0xb5, 0x2f, 0xfd]),
        packed("bzip2", "bzip2 -dk FILE", Array("BZh".utf8)),
        disk("a VMDK disk", "vmdk", [(0, Array("KDMV".utf8)), (0, Array("# Disk DescriptorFile".utf8))]),
        disk("a VHDX disk", "vhdx", [(0, Array("vhdxfile".utf8))]),
        disk("a VHD disk", "vpc", [(0, Array("conectix".utf8))]),
        disk("a VDI disk", "vdi", [(64, [0x7f, 0x10, 0xda, 0xbe])]),
        ForeignFormat(
            name: "an ISO 9660 medium",
            hint: "it installs a system and holds none: fetch the system's cloud image in the qcow2 format",
            isRaw: false,
            marks: [(32_769, Array("CD001".utf8))]
        ),
        ForeignFormat(
            name: "a tar archive",
            hint: "unpack it: tar -xf FILE, then name the disk that was in it",
            isRaw: false,
            marks: [(257, Array("ustar".utf8))]
        ),
        disk("a raw disk", "raw", [(510, [0x55, 0xaa]), (1_080, [0x53, 0xef])]),
    ]

    // What a packed file holds is known only when it is unpacked; often it is qcow2 already.
    private static func packed(_ tool: String, _ command: String, _ mark: [UInt8]) -> ForeignFormat {
        ForeignFormat(
            name: "packed with \(tool)",
            hint: "unpack it: \(command), then name the unpacked file; where that is not qcow2, convert it first: "
                + "qemu-img convert -O qcow2 UNPACKED COPY",
            isRaw: false,
            marks: [(0, mark)]
        )
    }

    private static func disk(
        _ name: String,
        _ format: String,
        _ marks: [(offset: Int, bytes: [UInt8])]
    ) -> ForeignFormat {
        ForeignFormat(
            name: name,
            hint: "convert it: qemu-img convert -f \(format) -O qcow2 FILE COPY, then name the copy",
            isRaw: format == "raw",
            marks: marks
        )
    }
}
