import Foundation
import Glibc
import KilnModel
import Testing

extension EndToEnd {
    @Suite(
        "Disks as Debian publishes them",
        .lane,
        .serialized,
        .enabled(if: geteuid() == 0, "mmdebstrap and mke2fs make them as root"),
        .timeLimit(.minutes(60))
    )
    struct OfficialDisk {
        // One processor, because an emulated guest with several crashes now and then: see Sources/KilnHost/README.md.
        private static let server = """
            image: cloud:12
            memory: 768MiB
            processors: 1
            volumes: { data: /data }
            ports: { ssh: 22 }
            ready: [cloud-init]
            ready-timeout: 15m
            stop-timeout: 120s
            """
        private static let release = ". /etc/os-release && echo \"$VERSION_ID\""

        @Test(
            "Debian 12 without an agent is added by its address, serves, is replaced by 13 with its volume, and drifts"
        )
        func life() async throws {
            let home = try #require(Home.shared)
            try await add(home)
            let digest = try #require(try await home.digest(of: "cloud:12"))
            let sealed = try await SealedImage(home, digest)
            try await home.withLab("official", server: Self.server) { lab in
                try await expectDone(home, "up", "-f", lab.file)
                #expect(try await lab.shell(Self.release) == "12")
                #expect(try await lab.shell("systemctl is-active qemu-guest-agent || true") == "inactive")
                try await lab.shell("echo kept > /data/record; sync")
                try await expectCopies(lab)
                try await expectDrift(lab)

                try await expectDone(home, "replace", lab.web, "--image", "cloud:13")
                try await lab.expectOnly(generation: 2)
                #expect(try await lab.shell(Self.release) == "13")
                #expect(try await lab.shell("cat /data/record; test ! -e /etc/added; echo $?") == "kept\n0")
            }
            #expect(try await SealedImage(home, digest) == sealed)
        }

        /// Adds both from a server; a wrong checksum adds nothing.
        private func add(_ home: Home) async throws {
            let folder = home.path + "/www"
            try await CloudDisk.put("bookworm", as: "debian-12.qcow2", in: folder)
            try await CloudDisk.put("trixie", as: "debian-13.qcow2", in: folder)
            let service = try await FileService(folder)
            defer { service.stop() }
            let wrong = ["image", "add", "\(service.address)/debian-12.qcow2", "--as", "cloud:12", "--sha256"]
            let refused = try await home.run(wrong + [String(repeating: "0", count: 64)])
            #expect(refused.status != 0 && refused.errors.contains("debian-12.qcow2"), "\(refused.errors)")
            #expect(try await home.digest(of: "cloud:12") == nil)
            for version in ["12", "13"] {
                let disk = "\(service.address)/debian-\(version).qcow2"
                let sums = "\(service.address)/SHA256SUMS"
                try await expectDone(home, "image", "add", disk, "--as", "cloud:\(version)", "--sums", sums)
            }
        }

        private func expectCopies(_ lab: Lab) async throws {
            let (there, back) = (lab.home.path + "/there", lab.home.path + "/back")
            let bytes = Data((0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) })
            try bytes.write(to: URL(fileURLWithPath: there))
            try await expectDone(lab.home, "cp", there, "\(lab.web):/root/file")
            try await expectDone(lab.home, "cp", "\(lab.web):/root/file", back)
            #expect(try Data(contentsOf: URL(fileURLWithPath: back)) == bytes)
        }

        /// What somebody adds is found on the partition that holds the root.
        private func expectDrift(_ lab: Lab) async throws {
            try await lab.shell("echo x > /etc/added; sync")
            let drift = try await lab.home.run("drift", lab.web)
            #expect(drift.exit == .unmet && drift.text.contains("/etc/added"), "\(drift.text) \(drift.errors)")
        }

        private func expectDone(_ home: Home, _ arguments: String...) async throws {
            let end = try await home.start(arguments).finish(within: .seconds(1_200))
            try #require(end.status == 0, "\(arguments): \(end.errors)")
        }
    }
}
