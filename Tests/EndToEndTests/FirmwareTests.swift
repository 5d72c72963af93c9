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

        @Test("a machine with UEFI is removed with its variables, also where its disk holds nothing to boot")
        func uefi() async throws {
            let home = try #require(Home.shared)
            let disk = "\(home.path)/blank.qcow2"
            try await home.tool("/usr/bin/qemu-img", "create", "-q", "-f", "qcow2", disk, "64M")
            let added = try await home.run("image", "add", disk, "--as", "blank:1", "--firmware", "uefi")
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
