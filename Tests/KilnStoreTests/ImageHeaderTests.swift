import Foundation
import KilnModel
import KilnSystem
import KilnTestSupport
import Testing

@testable import KilnStore

@Suite("The header of what is to become an image")
struct ImageHeaderTests {
    @Test("a FIFO, a folder and a device are refused at once")
    func notRegular() throws {
        let folder = try TemporaryDirectory()
        let fifo = folder.path + "/fifo"
        #expect(mkfifo(fifo, 0o600) == 0)
        let link = folder.path + "/link"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "/dev/zero")
        for path in [fifo, folder.path, link] {
            let error = #expect(throws: KilnError.self) { try QCOW2Header(ofImage: path) }
            #expect(error?.code == .fileNotRegular)
        }
    }

    @Test(
        "a file of another format is named for what it is, with the next step",
        arguments: [
            (0, [0x1f, 0x8b], "gzip", "gzip -dk"), (0, [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0], "xz", "xz -dk"),
            (0, [0x28, 0xb5, 0x2f, 0xfd], "zstd", "zstd -d"), (0, Array("BZh9".utf8), "bzip2", "bzip2 -dk"),
            (0, Array("KDMV".utf8), "VMDK", "-f vmdk"), (0, Array("# Disk DescriptorFile".utf8), "VMDK", "-f vmdk"),
            (0, Array("vhdxfile".utf8), "VHDX", "-f vhdx"), (0, Array("conectix".utf8), "VHD", "-f vpc"),
            (64, [0x7f, 0x10, 0xda, 0xbe], "VDI", "-f vdi"), (32_769, Array("CD001".utf8), "ISO 9660", "cloud image"),
            (257, Array("ustar".utf8), "tar archive", "tar -xf"),
            (510, [0x55, 0xaa], "raw disk", "-f raw"), (1_080, [0x53, 0xef], "raw disk", "-f raw"),
        ] as [(Int, [UInt8], String, String)]
    )
    func foreign(offset: Int, mark: [UInt8], name: String, step: String) throws {
        let folder = try TemporaryDirectory()
        var bytes = [UInt8](repeating: 0, count: 40_000)
        bytes.replaceSubrange(offset..<offset + mark.count, with: mark)
        let path = try folder.file("foreign", bytes)
        let error = #expect(throws: KilnError.self) { try QCOW2Header(ofImage: path) }
        #expect(error?.code == .imageRefusedOtherFormat)
        #expect(error?.message.contains(name) == true)
        #expect(error?.hint?.contains(step) == true)
    }

    @Test("a file that nobody knows is only said to be no qcow2 file")
    func unknown() throws {
        let folder = try TemporaryDirectory()
        let path = try folder.file("unknown", [UInt8](repeating: 7, count: 40_000))
        let error = #expect(throws: KilnError.self) { try QCOW2Header(ofImage: path) }
        #expect(error?.code == .imageRefusedOtherFormat)
        #expect(error?.message.contains("it is not in the qcow2 format") == true)
    }
}
