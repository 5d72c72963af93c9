import Foundation
import KilnModel
import Testing

extension EndToEnd {
    @Suite("Images with a boot loader of their own", .lane, .serialized, .timeLimit(.minutes(10)))
    struct FirmwareBoot {
        private static let server = """
            image: blank:1
            memory: 256MiB
            processors: 1
            ready: [agent]
            ready-timeout: 3s
            stop-timeout: 1s
            """

        /// A raw disk of 64 MiB with an EFI system partition, the type 0xef of an MBR, in which nothing is.
        private static var blank: Data {
            var bytes = Data(count: 64 << 20)
            bytes[446 + 4] = 0xef
            // From sector 2048 on, 65536 sectors.
            bytes[446 + 9] = 0x08
            bytes[446 + 14] = 0x01
            bytes.replaceSubrange(510..<512, with: [0x55, 0xaa])
            return bytes
        }

        @Test("a machine with UEFI is removed with its variables, also where its disk holds nothing to boot")
        func uefi() async throws {
            let home = try #require(Home.shared)
            let disk = "\(home.path)/blank.raw"
            try Self.blank.write(to: URL(fileURLWithPath: disk))
            let wrong = try await home.run("image", "add", disk, "--as", "blank:1", "--firmware", "bios")
            #expect(wrong.exit == .invalidFile && wrong.errors.contains("no boot code in sector 0"), "\(wrong.errors)")
            let added = try await home.run("image", "add", disk, "--as", "blank:1")
            try #require(added.status == 0, "\(added.errors)")
            try await home.withLab("firmware", server: Self.server) { lab in
                let result = try await lab.up()
                #expect(result.exit == .deadline, "\(result.errors)")
                #expect(lab.machines.isEmpty)
                let variables = "\(home.path)/daemon/config/libvirt/qemu/nvram"
                #expect(((try? FileManager.default.contentsOfDirectory(atPath: variables)) ?? []).isEmpty)
            }
        }
    }
}
